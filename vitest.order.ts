import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The longest files, in the order of their start: those that wait for processes and timers beside those that compute. */
const LONGEST = [
  'faults/test/run-schedule',
  'demo/test/private-list',
  'faults/test/presence',
  'demo/test/demo',
  'faults/test/measure',
  'faults/test/fuzz/fuzz',
  'demo/test/sign-in',
  'server/test/nitro2/nitro2',
  'demo/test/instances',
  'coordination/test/logs/logs-topologies',
  'examples/test/readme',
  'server/test/nitro/nitro',
  'hostile/test/hostile',
  'pubsub/test/cluster',
  'storage-driver/test/listing',
  'bench/test/rows',
]

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((path) => moduleId.endsWith(`${path}.test.ts`))
  return place === -1 ? LONGEST.length : place
}

/** Begins with the longest files, so that none of them remains alone at the end. The others are in the usual order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => placeOf(one) - placeOf(other))
  }
}

import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The longest files, in the order of their start: those that wait for processes and timers beside those that compute. */
const LONGEST = [
  'demo/test/demo',
  'faults/test/run-schedule',
  'faults/test/presence',
  'demo/test/private-list',
  'server/test/nitro2/nitro2',
  'faults/test/measure',
  'demo/test/documents',
  'demo/test/sign-in',
  'documents/test/documents',
  'documents/test/database-failures',
  'demo/test/presence',
  'server/test/nitro/nitro',
  'faults/test/documents',
  'demo/test/instances',
  'bench/test/rows',
  'hostile/test/hostile',
  'faults/test/fuzz/fuzz',
  'nuxt/test/nitro2-plugin',
  'faults/test/locks',
  'documents/test/awareness',
  'documents/test/versions',
  'pubsub/test/cluster',
  'faults/test/durable',
  'examples/test/readme',
  'storage-driver/test/failover',
  'pubsub/test/sentinel',
  'coordination/test/logs/logs-topologies',
  'storage-driver/test/listing',
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

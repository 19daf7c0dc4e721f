// `pnpm run documents:replay <file>…`: repeats recorded editing sessions on two instances, Redis and PostgreSQL, and compares the texts
// at the end with that of the recording. Files of the collection editing-traces, `.json` or `.json.gz`.
import { replayOnInstances } from './replay-on-instances.ts'
import { readSession } from './session.ts'

const paths = process.argv.slice(2)
if (paths.length === 0) throw new Error('Give the paths of sessions.')
for (const path of paths) {
  const session = readSession(path)
  const started = performance.now()
  const texts = await replayOnInstances(session)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const places = Object.entries(texts).map(([place, text]) => {
    if (text !== session.endContent) process.exitCode = 1
    return `${place} ${text === session.endContent ? 'equal' : 'DIFFERENT'}`
  })
  console.log(`${path}: ${session.transactions.length} edits of ${session.agents} authors in ${seconds} s, ${places.join(', ')}`)
}

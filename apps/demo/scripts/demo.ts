// `pnpm run demo`: builds the application if it has changed and starts one instance in this process. HOST, PORT, REDIS_URL.
import { buildDemo } from './build-demo.ts'
import { DEMO_FOLDER, SERVER_FILE } from './demo-folder.ts'
import { stopWith } from './stop-with.ts'
import { untilItAnswers } from './until-it-answers.ts'
import { addressOf, whereToListen } from './where-to-listen.ts'

try {
  const {
    host,
    ports: [port = 3000],
  } = await whereToListen(1)
  await buildDemo(console.log)
  process.chdir(DEMO_FOLDER)
  Object.assign(process.env, { HOST: host, PORT: String(port), NODE_ENV: 'production' })
  await import(SERVER_FILE)
  const address = addressOf(host, port)
  await untilItAnswers(address)
  console.log(`\nOpen ${address} in two windows and change something. Stop with Ctrl-C.\n`)
} catch (error) {
  stopWith(error)
}

import { RealtimePubSub } from '@tutti/pubsub'

// Prints what keeps the process alive after everything was disposed of in the given state.

const [port, state] = process.argv.slice(2)
const onError = (): void => {}
const pubsub = new RealtimePubSub({ port: Number(port), host: '127.0.0.1', breakerFailures: 1, commandTimeoutMs: 300, onError })
pubsub.subscribe('news', () => {})

if (state === 'ready') {
  await pubsub.link.ready
  await pubsub.publish('news', {})
}
if (state === 'away') {
  await new Promise<void>((resolve) => void pubsub.onStatus((status) => status === 'unavailable' && resolve()))
  await pubsub.publish('news', {}).catch(() => {})
}
if (state === 'under-way') {
  await pubsub.link.ready
  process.send?.('ready')
  await new Promise<void>((resolve) => void process.once('message', resolve))
  pubsub.publish('news', {}).catch(() => {})
}

await pubsub.dispose()
const held = process.getActiveResourcesInfo().filter((kind) => /Timeout|TCP|Immediate/.test(kind))
if (process.connected) process.disconnect()
console.log(JSON.stringify(held))

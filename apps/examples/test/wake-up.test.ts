import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually, startTcpProxy } from '@tutti/test-kit'
import memoryDriver from 'unstorage/drivers/memory'
import { expect, onTestFinished, test } from 'vitest'
import { openApplication } from './open-application.ts'

/** How long the server may be silent after a wake-up, milliseconds. */
const PROBE_MS = 500

/** Shows the status of the connection and the shared value. */
const app = (url: string): string => `
import { createRealtimeClient } from '@tutti/client'
const client = createRealtimeClient({ url: '${url}', probeTimeoutMs: ${PROBE_MS}, random: () => 1 })
const note = client.state('note', { default: 'nothing' })
const show = () => {
  document.title = client.connection.current.status + ' ' + note.current.value
}
client.connection.subscribe(show)
note.subscribe(show)
`

/** The page is resumed, shown again or restored from the cache, or the network is available again. */
const WAKE_UPS = ['document resume', 'document visibilitychange', 'window pageshow', 'window online'] as const

test('[C6] in Chromium a silently lost connection is replaced at each kind of wake-up', async () => {
  const httpServer = createServer()
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  const { port } = httpServer.address() as AddressInfo
  const proxy = await startTcpProxy({ host: '127.0.0.1', port })
  const application = await openApplication({ 'src/main.ts': app(`http://127.0.0.1:${proxy.port}`) })
  const realtime = attachRealtime(httpServer, {
    state: reactiveDriver(memoryDriver()),
    origins: [application.origin],
    onWarning: () => {},
  })
  onTestFinished(async () => {
    await realtime.close()
    await proxy.close()
    httpServer.closeAllConnections()
    httpServer.close()
  })
  await realtime.state.set('note', 'first')
  const page = await application.open()
  await page.clock.install()
  await page.reload()
  const titleIs = (title: string): Promise<void> => eventually(async () => expect(await page.title()).toBe(title))
  await titleIs('connected first')

  let before = 'first'
  for (const wakeUp of WAKE_UPS) {
    const [target = '', event = ''] = wakeUp.split(' ')
    // No data passes any more, and neither end is notified, as on a machine that slept.
    proxy.stall('up')
    proxy.stall('down')
    await realtime.state.set('note', wakeUp)
    await page.clock.runFor(2 * PROBE_MS)
    expect(await page.title()).toBe(`connected ${before}`)

    await page.evaluate(`${target}.dispatchEvent(new Event('${event}'))`)
    await titleIs(`reconnecting ${before}`)
    proxy.flow()
    await titleIs(`connected ${wakeUp}`)
    before = wakeUp
  }
})

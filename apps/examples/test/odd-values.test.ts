import { once } from 'node:events'
import { createServer } from 'node:http'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { freePort } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import memoryDriver from 'unstorage/drivers/memory'
import { openApplication } from './open-application.ts'

/** A page that puts each odd value into a form, at every depth, whole and in place, and takes the time until all is rolled back. */
const main = (port: number): string => `
import { oddValues } from '@tutti/test-kit/odd-values'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { createApp, h, nextTick, ref } from 'vue'

const form = { age: 1, list: [{ done: false }], people: Array.from({ length: 100 }, (_, id) => ({ id, name: 'somebody' })) }
let state
createApp({
  setup() {
    state = useRealtimeState('form', form)
    return () => h('p', Object.keys(state.value).join())
  },
})
  .use(createRealtime({ url: 'http://127.0.0.1:${port}' }))
  .mount('#app')

const ways = [
  (value) => { state.value = value },
  (value) => { state.value = { a: value } },
  (value) => { state.value = { a: [value] } },
  (value) => { state.value.age = value },
  (value) => { state.value.list[0] = value },
  (value) => { state.value.list[0].done = value },
]
const values = [...oddValues.filter(({ json }) => json === undefined), { name: 'ref', make: () => ref(1) }]

const TRIES = 3

globalThis.run = async () => {
  const result = { cells: 0, rejected: 0, longestTaskMs: 0, of: '' }
  for (const { name, make } of values) for (const [way, put] of ways.entries()) {
    // The shortest of some tries, for the machine may be busy with something else.
    const times = []
    for (let round = 0; round < TRIES; round++) {
      const value = make()
      await state.set(form)
      // A task of its own.
      await new Promise((resolve) => setTimeout(resolve))
      const start = performance.now()
      let thrown
      try {
        put(value)
      } catch (error) {
        thrown = error
      }
      await nextTick()
      times.push(performance.now() - start)
      result.cells++
      if (thrown || state.error.value?.code === 'INVALID_VALUE') result.rejected++
    }
    const longestTaskMs = Math.min(...times)
    if (longestTaskMs > result.longestTaskMs) Object.assign(result, { longestTaskMs, of: name + ', way ' + way })
  }
  return result
}
`

test('[S24] in Chromium, each odd value is rejected without a long task', async () => {
  const port = await freePort()
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, {
    state: reactiveDriver(memoryDriver()),
    origins: '*',

    onWarning: () => {},
  })
  httpServer.listen(port, '127.0.0.1')
  await once(httpServer, 'listening')
  onTestFinished(async () => {
    await realtime.close()
    httpServer.closeAllConnections()
    httpServer.close()
  })
  const { open } = await openApplication({ 'src/main.ts': main(port) })
  const page = await open()
  const result = (await page.evaluate('run()')) as { cells: number; rejected: number }
  console.log(JSON.stringify(result))
  expect(result.rejected).toBe(result.cells)
})

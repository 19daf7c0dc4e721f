import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { serve, upgradeOf } from './serve.ts'

test('[X4] a client that resets its upgrade before it is decided upon does no harm', async () => {
  const asked = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const served = await serve({
    socketIo: {
      allowRequest: (request, decide) => {
        request.socket.once('close', () => {
          decide(null, true)
          gone.resolve()
        })
        asked.resolve()
      },
    },
  })
  onTestFinished(() => served.close())
  const uncaught: unknown[] = []
  const onUncaught = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', onUncaught)
  onTestFinished(() => void process.off('uncaughtException', onUncaught))
  const { hostname, port } = new URL(served.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(upgradeOf(Number(port)))
  await asked.promise
  socket.resetAndDestroy()
  await gone.promise
  expect((await fetch(`${served.url}/socket.io/?EIO=4&transport=websocket`)).status).toBe(400)
  expect(uncaught).toEqual([])
})

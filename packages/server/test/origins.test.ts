import { expect, onTestFinished, test } from 'vitest'
import type { AttachRealtimeOptions } from '../src/node/index.ts'
import { serve, type PlainClient, type Served } from './serve.ts'

const FRIEND = 'https://friend.example'

async function serveFriends(socketIo: AttachRealtimeOptions['socketIo'] = {}): Promise<Served> {
  const served = await serve({ origins: [FRIEND], socketIo })
  onTestFinished(() => served.close())
  return served
}

for (const transport of ['websocket', 'polling']) {
  const from = (served: Served, headers: Record<string, string>): Promise<PlainClient> =>
    served.connect({ transports: [transport], extraHeaders: headers })

  test(`[X1] pages of listed origins, of the server's own, and what is no page come in by ${transport}`, async () => {
    const served = await serveFriends()
    for (const headers of [{ origin: FRIEND }, { origin: served.url }, {}]) {
      expect((await from(served, headers)).socket.connected).toBe(true)
    }
  })

  test(`[X1] pages of other origins, and of none that can be read, are refused on ${transport}`, async () => {
    const served = await serveFriends()
    for (const origin of ['https://foe.example', `${FRIEND}.foe.example`, 'http://friend.example', 'null', 'nonsense']) {
      await expect(from(served, { origin }), origin).rejects.toThrow(/error/)
    }
  })

  test(`[X1] allowRequest is asked as well, on ${transport}`, async () => {
    const served = await serveFriends({
      allowRequest: ({ headers }, decide) => decide(null, headers['x-denied'] === undefined),
    })
    await from(served, { origin: FRIEND })
    await expect(from(served, { origin: FRIEND, 'x-denied': 'yes' })).rejects.toThrow(/error/)
  })

  test(`[X1] without \`origins\` pages of the server's own origin come in by ${transport}, and no others`, async () => {
    const served = await serve()
    onTestFinished(() => served.close())
    for (const headers of [{ origin: served.url }, {}]) expect((await from(served, headers)).socket.connected).toBe(true)
    await expect(from(served, { origin: 'https://foe.example' })).rejects.toThrow(/error/)
  })

  test(`[X1] with \`*\` all come in by ${transport}`, async () => {
    const served = await serve({ origins: '*' })
    onTestFinished(() => served.close())
    expect((await from(served, { origin: 'https://foe.example' })).socket.connected).toBe(true)
  })
}

test('[X1] a browser may read the answers to pages of listed origins only', async () => {
  const { url } = await serveFriends()
  const allowed = async (origin: string): Promise<string | null> =>
    (await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } })).headers.get('access-control-allow-origin')
  expect(await allowed(FRIEND)).toBe(FRIEND)
  expect(await allowed('https://foe.example')).toBeNull()
})

import { eventually, freePort, startExample } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'

const readme = new URL('../../../README.md', import.meta.url)
const folder = new URL('./', import.meta.url)

test('[README] the server and the client of the first example share a counter', async () => {
  const port = String(await freePort())
  const edit = (code: string): string => {
    expect(code).toContain('3000')
    return code.replaceAll('3000', port)
  }
  const server = startExample(readme, { index: 0, folder, edit })
  onTestFinished(() => void server.stop())
  const clients = [1, 2].map(() => startExample(readme, { index: 1, folder, edit }))
  onTestFinished(() => void Promise.all(clients.map((client) => client.stop())))
  for (const client of clients) {
    await eventually(() => expect(client.printed.at(-1), `${server.complaints}${client.complaints}`).toBe('2'), { timeoutMs: 20_000 })
  }
})

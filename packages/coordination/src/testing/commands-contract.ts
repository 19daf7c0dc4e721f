import { expect, test } from 'vitest'
import type { ReceivedCommand } from '../contract.ts'
import type { CoordinationUnderTest } from './coordination-under-test.ts'

const OPTIONS = { timeoutMs: 5_000, confirm: true }

/** Commands to all instances. */
export function commandsContract(use: () => CoordinationUnderTest): void {
  /** The instances, each once. */
  const instances = () => [...new Set([use().coordination, use().other])]
  const handleAll = async (run: (command: ReceivedCommand, index: number) => string | null | Promise<string>): Promise<() => void> => {
    const all = instances()
    await Promise.all(all.map(({ commands }) => commands.ready))
    const stops = all.map(({ commands }, index) => commands.handle((command) => run(command, index)))
    return () => {
      for (const stop of stops) stop()
    }
  }

  test('[R1] a command resolves with the reply of every instance', async () => {
    const stop = await handleAll(async ({ text, isLate }, index) => `${text} ${index} ${isLate}`)
    const { replies, missing } = await use().other.commands.send('a\nb', OPTIONS)
    expect([...replies.values()].toSorted()).toEqual(instances().map((_, index) => `a\nb ${index} false`))
    expect(missing).toEqual([])
    stop()
  })

  test('[R1] all instances receive the commands of one caller in the order of the calls', async () => {
    const received = instances().map((): string[] => [])
    const stop = await handleAll(({ text }, index) => {
      received[index]?.push(text)
      return ''
    })
    const texts = Array.from({ length: 50 }, (_, index) => `${index}`)
    await Promise.all(texts.map((text) => use().coordination.commands.send(text, OPTIONS)))
    expect(received).toEqual(instances().map(() => texts))
    stop()
  })

  test('[R1] an instance that did not apply a command is missing', async () => {
    const stop = await handleAll(() => null)
    const failed = await use().coordination.commands.send('x', OPTIONS)
    expect(failed.missing).toHaveLength(instances().length)
    expect(failed.replies.size).toBe(0)
    stop()
    expect(await use().coordination.commands.send('x', OPTIONS)).toEqual({ replies: new Map(), missing: [] })
  })

  test('[R1] an instance whose reply takes longer than timeoutMs is missing', async () => {
    const stop = await handleAll(() => new Promise<string>(() => {}))
    const { missing } = await use().coordination.commands.send('x', { timeoutMs: 20, confirm: true })
    expect(missing).toHaveLength(instances().length)
    expect(await use().coordination.commands.send('x', { timeoutMs: 5_000, confirm: false })).toEqual({ replies: new Map(), missing: [] })
    stop()
  })
}

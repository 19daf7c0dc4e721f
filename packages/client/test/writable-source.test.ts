import { expect, test } from 'vitest'
import { createSource } from '../src/writable-source.ts'

test('[S13] who is told by a listener of something newer does not hear the older after it', () => {
  const { source, show } = createSource(0, () => {})
  const heard: number[] = []
  source.subscribe((value) => {
    if (value === 1) show(2)
  })
  source.subscribe((value) => heard.push(value))
  show(1)
  expect(heard).toEqual([2])
  expect(source.current).toBe(2)
})

test('[S13] a listener that another one ends is not called any more, one that it adds not yet', () => {
  const { source, show } = createSource(0, () => {})
  const heard: string[] = []
  const ends: (() => void)[] = []
  source.subscribe(() => {
    for (const end of ends.splice(0)) end()
    if (heard.length === 0) source.subscribe((value) => heard.push(`added ${value}`))
    heard.push('first')
  })
  ends.push(source.subscribe(() => heard.push('ended')))
  show(1)
  expect(heard).toEqual(['first'])
  show(2)
  expect(heard).toEqual(['first', 'first', 'added 2'])
})

test('[S13] one function that listens twice hears twice and ends singly; the same value again is told to nobody', () => {
  const thrown: unknown[] = []
  const { source, show } = createSource('a', (error) => thrown.push(error))
  let calls = 0
  const listener = (): void => {
    calls += 1
    throw new Error('on purpose')
  }
  const ends = [source.subscribe(listener), source.subscribe(listener)]
  show('b')
  show('b')
  expect(calls).toBe(2)
  for (let times = 0; times < 2; times += 1) ends[0]?.()
  show('c')
  expect(calls).toBe(3)
  expect(thrown).toHaveLength(3)
})

import { expect, test } from 'vitest'
import { createObservable } from '../src/observable.ts'

test('[S13] who is told by a listener of something newer does not hear the older after it', () => {
  const { observable, show } = createObservable(0, () => {})
  const heard: number[] = []
  observable.subscribe((value) => {
    if (value === 1) show(2)
  })
  observable.subscribe((value) => heard.push(value))
  show(1)
  expect(heard).toEqual([2])
  expect(observable.current).toBe(2)
})

test('[S13] a listener that another one ends is not called any more, one that it adds not yet', () => {
  const { observable, show } = createObservable(0, () => {})
  const heard: string[] = []
  const ends: (() => void)[] = []
  observable.subscribe(() => {
    for (const end of ends.splice(0)) end()
    if (heard.length === 0) observable.subscribe((value) => heard.push(`added ${value}`))
    heard.push('first')
  })
  ends.push(observable.subscribe(() => heard.push('ended')))
  show(1)
  expect(heard).toEqual(['first'])
  show(2)
  expect(heard).toEqual(['first', 'first', 'added 2'])
})

test('[S13] one function that listens twice hears twice and ends singly; the same value again is told to nobody', () => {
  const thrown: unknown[] = []
  const { observable, show } = createObservable('a', (error) => thrown.push(error))
  let calls = 0
  const listener = (): void => {
    calls += 1
    throw new Error('on purpose')
  }
  const ends = [observable.subscribe(listener), observable.subscribe(listener)]
  show('b')
  show('b')
  expect(calls).toBe(2)
  for (let times = 0; times < 2; times += 1) ends[0]?.()
  show('c')
  expect(calls).toBe(3)
  expect(thrown).toHaveLength(3)
})

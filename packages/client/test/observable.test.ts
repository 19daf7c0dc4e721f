import { expect, test } from 'vitest'
import { createObservable } from '../src/observable.ts'

test('[S13] a listener notified of a newer value does not receive the older one after', () => {
  const { observable, show } = createObservable(0, () => {})
  const received: number[] = []
  observable.subscribe((value) => {
    if (value === 1) show(2)
  })
  observable.subscribe((value) => received.push(value))
  show(1)
  expect(received).toEqual([2])
  expect(observable.current).toBe(2)
})

test('[S13] a listener removed by another is not called, one added not yet', () => {
  const { observable, show } = createObservable(0, () => {})
  const received: string[] = []
  const ends: (() => void)[] = []
  observable.subscribe(() => {
    for (const end of ends.splice(0)) end()
    if (received.length === 0) observable.subscribe((value) => received.push(`added ${value}`))
    received.push('first')
  })
  ends.push(observable.subscribe(() => received.push('ended')))
  show(1)
  expect(received).toEqual(['first'])
  show(2)
  expect(received).toEqual(['first', 'first', 'added 2'])
})

test('[S13] a function added twice runs twice; the same value notifies no listener', () => {
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

import { expect, test } from 'vitest'
import { createListenersByName } from '../src/listeners-by-name.ts'

test('[E3] a listener is called until it is removed, and removed alone', () => {
  const heard: string[] = []
  const listeners = createListenersByName<string>(() => {})
  const twice = (message: string): void => void heard.push(`twice ${message}`)
  const undo = [
    listeners.add('a', twice),
    listeners.add('a', twice),
    listeners.add('a', (message) => heard.push(`other ${message}`)),
    listeners.add('b', (message) => heard.push(`b ${message}`)),
  ]
  const tell = (message: string): string[] => {
    heard.length = 0
    listeners.notify(['a'], message)
    return [...heard]
  }
  expect(tell('1')).toEqual(['twice 1', 'twice 1', 'other 1'])
  for (let times = 0; times < 2; times += 1) undo[0]?.()
  expect(tell('2')).toEqual(['twice 2', 'other 2'])
  undo[2]?.()
  expect(tell('3')).toEqual(['twice 3'])
  for (let times = 0; times < 2; times += 1) undo[1]?.()
  expect(tell('4')).toEqual([])
  listeners.add('a', (message) => heard.push(`later ${message}`))
  for (const end of undo.slice(0, 3)) end()
  expect(tell('5')).toEqual(['later 5'])
})

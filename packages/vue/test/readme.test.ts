// @vitest-environment happy-dom
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eventually, startExample } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from './serve.ts'

const readme = new URL('../README.md', `file://${import.meta.filename}`)

test('[README] the example runs unchanged in a page', async () => {
  const server = await serve()
  const code = /```ts\n(.*?)```/s.exec(readFileSync(readme, 'utf8'))?.[1] ?? ''
  const file = fileURLToPath(new URL(`test/readme-example-${process.pid}.ts`, readme))
  writeFileSync(file, code.replace('http://127.0.0.1:3000', server.url))
  onTestFinished(() => rmSync(file))
  document.body.innerHTML = '<div id="app"></div>'
  await import(/* @vite-ignore */ file)
  const page = (): string | null => document.body.textContent
  await eventually(() => expect(page()).toMatch(/0 yes\s*0 no\s*connected, 1 visits/))
  document.querySelector('button')?.click()
  await eventually(() => expect(document.title).toBe('Newest vote: yes'))
  expect(page()).toContain('1 yes')
  const input = document.querySelector('input')
  if (!input) throw new Error('no input')
  input.value = 'Spaces?'
  input.dispatchEvent(new Event('input'))
  const stored = { question: 'Spaces?', votes: { yes: 1, no: 0 } }
  await eventually(async () => expect(await server.realtime.state.get('poll')).toMatchObject({ value: stored }))
  await server.realtime.state.patch('poll', { votes: { no: 7 } })
  await eventually(() => expect(page()).toMatch(/1 yes\s*7 no/))
})

test('[README] the example of a server-rendered page prints its documented output', async () => {
  const example = startExample(readme, { block: 'renderPage', folder: new URL('test/', readme) })
  await example.ended
  expect(example.printed, example.complaints).toEqual(example.promised)
  expect(example.promised).toHaveLength(2)
})

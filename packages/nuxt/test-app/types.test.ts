import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNuxtApp, type NuxtApp } from './nuxt-app.ts'

const PAGE = (lines: string): string => `<script setup lang="ts">\n${lines}\n</script>\n\n<template><p /></template>\n`

let app: NuxtApp
beforeAll(async () => {
  app = await createNuxtApp()
})
afterAll(() => app.remove())

const typecheck = (): Promise<string> => app.run(['node_modules/nuxt/bin/nuxt.mjs', 'typecheck'])

test('[X6] the example has the types of its schema, without generics', async () => {
  const page = PAGE(`const todo = useRealtimeState('todos:1')
const text: string | undefined = todo.value?.text
const { subscribe } = useRealtimeEvents()
subscribe('chat:lobby', (message) => message.text.toUpperCase())
const { members } = useRealtimePresence('lobby', { info: { name: 'Ann' } })
const names: string[] = members.value.map(({ info }) => info.name)
console.log(text, names)`)
  await writeFile(join(app.folder, 'app/pages/typed.vue'), page)
  await expect(typecheck()).resolves.toBeDefined()
  await writeFile(join(app.folder, 'app/pages/typed.vue'), PAGE(`useRealtimeState('todos:1', { text: 1, done: false })`))
  await expect(typecheck()).rejects.toThrow("'number' is not assignable to type 'string'")
})

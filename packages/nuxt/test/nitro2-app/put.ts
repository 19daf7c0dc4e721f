import { defineRenderHandler, useStorage } from 'nitropack/runtime'
import { useRealtimeServer } from '../../src/runtime/server'

/** Writes a key through the storage of Nitro, and replies with the entry that the realtime server reads. */
export default defineRenderHandler(async ({ path }) => {
  const { searchParams } = new URL(path, 'http://app')
  const key = searchParams.get('key') ?? ''
  await useStorage('tutti').setItem(key, searchParams.get('value'))
  return { body: JSON.stringify(await useRealtimeServer().state.get(key)) }
})

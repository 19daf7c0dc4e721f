// @vitest-environment happy-dom
import { createDocuments } from '@tutti/documents/server'
import { eventually } from '@tutti/test-kit'
import { useDocumentVersions, useRealtimeDocument } from '@tutti/vue/documents'
import { expect, test } from 'vitest'
import { ref } from 'vue'
import { memoryDocuments } from './memory-documents.ts'
import { mount, serve } from './serve.ts'

test('[D12] a component saves, lists and restores versions', async () => {
  const { url } = await serve({ documents: createDocuments({ store: memoryDocuments(), storeIntervalMs: 20 }) })
  const id = ref('notes:1')
  const { result, unmount } = mount(
    url,
    () => ({ notes: useRealtimeDocument(id), history: useDocumentVersions(id) }),
    '{{ notes.loading }}',
  )
  const { notes, history } = result
  await eventually(() => expect(notes.loading.value).toBe(false))
  notes.text.value.insert(0, 'first')
  const first = await history.save('First')
  const saving = history.save('Second')
  expect(history.versions.value.map(({ name }) => name)).toEqual(['First'])
  await saving
  expect(history.versions.value.map(({ name }) => name)).toEqual(['Second', 'First'])
  expect([history.loading.value, history.hasMore.value, history.error.value]).toEqual([false, false, undefined])
  notes.text.value.insert(0, 'not the ')
  await eventually(() => expect(notes.synced.value).toBe(true))
  expect((await history.read(first)).getText('text').toJSON()).toBe('first')
  await history.restore(first)
  await eventually(() => expect(notes.text.value.toJSON()).toBe('first'))
  await expect(history.restore(99)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })

  id.value = 'notes:2'
  expect(history.versions.value).toEqual([])
  await history.refresh()
  expect(history.versions.value).toEqual([])
  unmount()
})

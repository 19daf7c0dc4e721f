// @vitest-environment happy-dom
import { createDocuments, type DocumentStore } from '@tutti/documents/server'
import { eventually } from '@tutti/test-kit'
import { useDocumentVersions, useRealtimeDocument } from '@tutti/vue/documents'
import { expect, test, vi } from 'vitest'
import { ref } from 'vue'
import { memoryDocuments } from './memory-documents.ts'
import { mount, serve } from './serve.ts'

test('[D12] a component saves, lists, restores and removes versions', async () => {
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
  await history.remove(first)
  expect(history.versions.value.map(({ name }) => name)).toEqual(['Second'])

  id.value = 'notes:2'
  expect(history.versions.value).toEqual([])
  await history.refresh()
  expect(history.versions.value).toEqual([])
  unmount()
})

test('[D12] a version that is saved while older ones are loaded is shown', async () => {
  const store = memoryDocuments()
  const gate = Promise.withResolvers<void>()
  const isSlow = vi.fn<() => void>()
  const slowPages: DocumentStore = {
    ...store,
    versions: async (id, page) => {
      if (page?.before !== undefined) {
        isSlow()
        await gate.promise
      }
      return store.versions(id, page)
    },
  }
  const { url } = await serve({ documents: createDocuments({ store: slowPages, storeIntervalMs: 20 }) })
  const { result: history, unmount } = mount(url, () => useDocumentVersions('notes:1'), '<p></p>')
  await history.save('First')
  const loading = history.loadMore()
  await eventually(() => expect(isSlow).toHaveBeenCalled())
  const saving = history.save('Second')
  await eventually(async () => expect(await store.versions('notes:1')).toHaveLength(2))
  // In time for the refresh that follows the saving.
  await history.read(2)
  gate.resolve()
  await Promise.all([loading, saving])
  expect(history.versions.value.map(({ name }) => name)).toEqual(['Second', 'First'])
  unmount()
})

// Subscribers also receive changes that are made through the storage.
export default defineEventHandler(async (event) => {
  const { count } = await readBody<{ count: number }>(event)
  await useStorage('tutti').setItem('counter', count)
  return { count }
})

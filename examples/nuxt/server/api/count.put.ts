// What is written by the storage reaches the subscribers too.
export default defineEventHandler(async (event) => {
  const { count } = await readBody<{ count: number }>(event)
  await useStorage('tutti').setItem('counter', count)
  return { count }
})

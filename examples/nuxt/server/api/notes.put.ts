// The routes of an application act with all rights, or with those of a user.
export default defineEventHandler(async (event) => {
  const { name, text } = await readBody<{ name: string; text: string }>(event)
  await useRealtimeServer().state.set(`notes:${name}`, text)
  return { name }
})

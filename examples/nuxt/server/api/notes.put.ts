// With all rights, and without a sign-in: a real application writes with realtime.as(user), so that authorize decides.
export default defineEventHandler(async (event) => {
  const { name, text } = await readBody<{ name: string; text: string }>(event)
  await useRealtimeServer().state.set(`notes:${name}`, text)
  return { name }
})

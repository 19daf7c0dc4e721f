// `useStorage('tutti')` is the shared state.
export default defineEventHandler(async () => ({ count: await useStorage('tutti').getItem('counter') }))

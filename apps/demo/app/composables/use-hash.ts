import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** What follows `#` in the address of the page, as far as it is accepted; '' on the server, and until the page is mounted. */
export function useHash(accepts: (hash: string) => boolean): Readonly<Ref<string>> {
  const hash = ref('')
  const read = (): void => {
    const next = location.hash.slice(1)
    if (next === '' || accepts(next)) hash.value = next
  }
  onMounted(() => {
    read()
    addEventListener('hashchange', read)
  })
  onBeforeUnmount(() => removeEventListener('hashchange', read))
  return hash
}

import { onMounted, ref, watch, type Ref } from 'vue'
import { readText, writeText } from '../stored-text.ts'

/** A text that this browser stores. It is shown after hydration, because the server does not have it. */
export function useStoredText(storageKey: string, initial: () => string): Ref<string> {
  const text = ref('')
  onMounted(() => {
    text.value = readText(storageKey) ?? initial()
    watch(text, (value) => writeText(storageKey, value))
  })
  return text
}

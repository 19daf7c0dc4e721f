import { onMounted, ref, watch, type Ref } from 'vue'

/** A text that this browser stores. It is shown after hydration, because the server does not have it. */
export function useStoredText(storageKey: string, initial: () => string): Ref<string> {
  const text = ref('')
  onMounted(() => {
    text.value = read(storageKey) ?? initial()
    watch(text, (value) => write(storageKey, value))
  })
  return text
}

// If the browser refuses storage, the text lasts as long as the page.
function read(storageKey: string): string | undefined {
  try {
    return localStorage.getItem(storageKey) ?? undefined
  } catch {
    return undefined
  }
}

function write(storageKey: string, value: string): void {
  try {
    localStorage.setItem(storageKey, value)
  } catch {
    // Kept in the page only.
  }
}

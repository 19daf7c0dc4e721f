import { createDocumentStorage, type DocumentStorage } from '@tutti/documents/offline'
import { guestAuth, guestIdOf } from '../guest.ts'
import { useSession } from './use-session.ts'

let storage: DocumentStorage | undefined

/** The documents of this page's user in this browser. */
export function useDocumentStorage(): DocumentStorage {
  const session = useSession()
  return (storage ??= createDocumentStorage({ user: session?.user ?? guestIdOf(guestAuth()) }))
}

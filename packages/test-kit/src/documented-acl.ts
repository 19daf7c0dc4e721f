import { readFileSync } from 'node:fs'

const DOCUMENT = new URL('../../../docs/security.md', import.meta.url)

/** A user of Redis that can do what an instance needs, and no more. */
export interface DocumentedAcl {
  /** Lines of an ACL file: that user, an `admin` who may do everything, and nobody else. */
  readonly users: string
  /** What stands before the host in the URL of that user, `name:password`. */
  readonly credentials: string
  /** The same of the admin. */
  readonly adminCredentials: string
}

/** The ACL that `docs/security.md` recommends, as it stands there. */
export function documentedAcl(): DocumentedAcl {
  const block = /^```acl\n(.*?)^```$/ms.exec(readFileSync(DOCUMENT, 'utf8'))?.[1]
  const [, name, password] = /^user (\w+) on >(\S+)/m.exec(block ?? '') ?? []
  if (block === undefined || name === undefined || password === undefined) throw new Error('docs/security.md has no user in an acl block.')
  return { users: `${block}user admin on >admin ~* &* +@all\n`, credentials: `${name}:${password}`, adminCredentials: 'admin:admin' }
}

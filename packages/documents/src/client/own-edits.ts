import { UndoManager, type Text } from 'yjs'

/** The edits of one client to a text, in steps that it can revert. */
export interface OwnEdits {
  readonly canUndo: boolean
  readonly canRedo: boolean
  /** Returns false without an edit to revert. */
  undo(): boolean
  /** Returns false without an edit to apply again. */
  redo(): boolean
}

/** Follows the edits of this client to a text until its document is destroyed. `onChange` runs after each change of the steps. */
export function createOwnEdits(text: Text, onChange: () => void): OwnEdits {
  const trackedOrigins = new Set<unknown>([null])
  const manager = new UndoManager(text, {
    trackedOrigins,
    // Updates that are applied are not local. Editor bindings have origins of their own, which are all tracked.
    captureTransaction: ({ local, origin }) => {
      if (local) trackedOrigins.add(origin)
      return local
    },
  })
  manager.on('stack-item-added', onChange)
  manager.on('stack-cleared', onChange)
  /** A step whose text others have deleted reverts nothing, and is removed without an event. */
  const after = <Step>(step: Step | null): boolean => {
    onChange()
    return step !== null
  }
  return {
    get canUndo() {
      return manager.canUndo()
    },
    get canRedo() {
      return manager.canRedo()
    },
    undo: () => after(manager.undo()),
    redo: () => after(manager.redo()),
  }
}

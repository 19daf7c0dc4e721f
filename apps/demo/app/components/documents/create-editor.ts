import { defaultKeymap } from '@codemirror/commands'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view'
import { yCollab } from 'y-codemirror.next'
import type { Awareness } from 'y-protocols/awareness'
import type { Text } from 'yjs'
import { editorTheme } from './editor-theme.ts'
import { shownCursors } from './shown-cursors.ts'

/** An editor in the page. */
export interface TextEditor {
  setReadOnly(isReadOnly: boolean): void
  focus(): void
  destroy(): void
}

/** What an editor needs. */
export interface TextEditorOptions {
  parent: HTMLElement
  text: Text
  awareness: Awareness
  /** Its name for assistive technology. */
  label: string
  isReadOnly: boolean
  undo: () => void
  redo: () => void
}

/** Creates an editor of a shared text. */
export function createEditor({ parent, text, awareness, label, isReadOnly, undo, redo }: TextEditorOptions): TextEditor {
  const access = new Compartment()
  const accessOf = (denied: boolean): Extension => [EditorState.readOnly.of(denied), EditorView.editable.of(!denied)]
  /** A command that takes its key also without anything to do, so that the browser's own undo never runs. */
  const command = (run: () => void) => (): boolean => {
    run()
    return true
  }
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text.toJSON(),
      extensions: [
        // Tab moves the focus on: the keyboard can leave the editor.
        keymap.of([{ key: 'Mod-z', run: command(undo), shift: command(redo) }, { key: 'Mod-y', run: command(redo) }, ...defaultKeymap]),
        drawSelection(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'true', autocapitalize: 'sentences', tabindex: '0' }),
        placeholder('Write something. Everyone here sees it.'),
        access.of(accessOf(isReadOnly)),
        editorTheme,
        // The client reverts the edits of its user itself, in each editor of the document.
        yCollab(text, shownCursors(awareness), { undoManager: false }),
      ],
    }),
  })
  return {
    setReadOnly: (denied) => view.dispatch({ effects: access.reconfigure(accessOf(denied)) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  }
}

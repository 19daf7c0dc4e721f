import { EditorView } from '@codemirror/view'

/** The look of the editor, in the colours of the page, which follow light and dark. */
export const editorTheme = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', fontSize: 'var(--text-m)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'inherit', lineHeight: '1.65', overflowX: 'hidden' },
  '.cm-content': { padding: 'var(--s5) 0 var(--s7)', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 max(var(--s5), calc((100% - 70ch) / 2))' },
  '.cm-placeholder': { color: 'var(--ink-soft)' },
  '.cm-cursor': { borderLeft: '2px solid var(--accent)', marginLeft: '-1px' },
  '.cm-ySelectionInfo': {
    top: '-1.15em',
    padding: '0 0.375em',
    borderRadius: '0.375em 0.375em 0.375em 0',
    color: 'light-dark(#fff, oklch(0.2 0.03 168))',
    fontFamily: 'inherit',
    fontSize: '0.6875rem',
    fontWeight: '560',
    lineHeight: '1.5',
    opacity: '1',
  },
  '.cm-ySelectionCaretDot': { display: 'none' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--wash)' },
})

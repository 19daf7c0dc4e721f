import { serveInstance } from '@tutti/test-kit/instance'

serveInstance(
  { hello: 'there' },
  {
    echo: (value: unknown) => value,
    fail: () => {
      throw new Error('on purpose')
    },
    never: () => new Promise(() => {}),
  },
)

// A change of what users import is seen: `npm run types:accept` writes it down on purpose.

import { expect, it } from 'vitest'
import { publicTypes } from './public-types.ts'

it('the public types are those of test/public-types.txt', async () => {
  const types = publicTypes()
  expect(types).toContain('// index.d.ts')
  expect(types).toContain('// replica/options.d.ts')
  await expect(types).toMatchFileSnapshot('./public-types.txt')
}, 60_000)

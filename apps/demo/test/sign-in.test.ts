import { eventually } from '@tutti/test-kit'
import axe from 'axe-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectByHand } from './hand-made-client.ts'
import { countOn, isConnected } from './open-page.ts'
import { startTwoInstances, type TwoInstances } from './two-instances.ts'
import { anotherWindow, cookiesOf, inAnHour, note, notesOn, signIn, tokenFor, visit, visitAs } from './visit.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwoInstances()
}, 120_000)
afterAll(() => two.stop())

describe('a sign-in', () => {
  test('[S22] adds the user’s list to the first HTML, also without JavaScript', async () => {
    const plain = await visit(two, 0, { javaScriptEnabled: false })
    await plain.getByLabel('Sign in as').fill('Dora <b> ')
    await plain.getByRole('button', { name: 'Sign in' }).click()
    expect(await plain.getByLabel('Sign in as').evaluate((input: HTMLInputElement) => input.validity.patternMismatch)).toBe(true)
    await plain.getByLabel('Sign in as').fill('Dora Ø. O’Neill')
    await plain.getByRole('button', { name: 'Sign in' }).click()
    await plain.locator('.signed-in').getByText('Dora Ø. O’Neill').waitFor()
    const own = await connectByHand(two.addresses[1], await cookiesOf(plain))
    const value = { text: 'Only Dora’s', done: false }
    expect(await own.request('storage:set', { key: 'user:dora-ø.-o’neill:notes:1', value })).toBe('ok')
    await plain.reload()
    expect(await notesOn(plain)).toEqual(['Only Dora’s'])
    for (const cookie of ['', `tutti-session=${await tokenFor('someone', inAnHour(), two.secret)}`]) {
      const html = await (await fetch(two.addresses[1], { headers: { cookie } })).text()
      expect(html).toContain('Your own list')
      expect(html).not.toContain('Only Dora’s')
    }
    await plain.getByRole('button', { name: 'Sign out' }).click()
    await plain.getByLabel('Sign in as').waitFor()
    expect(await notesOn(plain)).toEqual([])
  })

  test('[S22] is followed by a page that is hydrated with its content', async () => {
    const page = await visitAs(two, 'Hanna', 0)
    await note(page, 'Still here')
    await eventually(async () => expect(await page.getByText('In sync').count()).toBe(4))
    const complaints: string[] = []
    page.on('console', (message) => (['error', 'warning'].includes(message.type()) ? complaints.push(message.text()) : undefined))
    await page.reload()
    await isConnected(page)
    expect(await notesOn(page)).toEqual(['Still here'])
    expect(complaints).toEqual([])
  })

  test('[X1] is a signed token in a cookie, inaccessible to scripts and other sites', async () => {
    const page = await visitAs(two, 'Carl', 0)
    const cookies = await page.context().cookies()
    expect(cookies).toMatchObject([{ name: 'tutti-session', httpOnly: true, sameSite: 'Lax', path: '/' }])
    expect(await page.evaluate(() => document.cookie)).toBe('')
    expect(await page.content()).not.toContain(cookies[0]?.value)
  })

  test('[X1] is not started by another site, nor with an invalid name', async () => {
    const post = async (body: string, headers: Record<string, string> = {}): Promise<[number, string | null]> => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      const reply = await fetch(`${two.addresses[0]}/sign-in`, {
        method: 'POST',
        headers: { ...type, ...headers },
        body,
        redirect: 'manual',
      })
      return [reply.status, reply.headers.get('set-cookie')]
    }
    expect(await post('name=Mallory', { origin: 'https://elsewhere.example' })).toEqual([403, null])
    expect(await post('name=Mallory', { origin: 'null' })).toEqual([403, null])
    expect(await post(`name=${'x'.repeat(2_000)}`)).toEqual([413, null])
    for (const name of ['', ' ', '*', 'a:b', 'a*', '{id}', '../x', '.', 'a/b', 'a$', 'guest:', 'x'.repeat(33), '%00', '%ED%A0%80']) {
      expect([name, await post(`name=${name}`)]).toEqual([name, [400, null]])
    }
    expect(await post('')).toEqual([400, null])
    expect(await post('name=Mallory', { 'content-type': 'text/plain' })).toEqual([400, null])
    expect(await post('name=Mallory')).toEqual([303, expect.stringContaining('tutti-session=')])
    const forwarded = { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' }
    for (const origin of ['https://app.example', 'https://listed.example']) {
      expect(await post('name=Mallory', { ...forwarded, origin }), origin).toEqual([
        303,
        expect.stringMatching(/^tutti-session=.*; Secure$/),
      ])
    }
    expect(await post('name=Mallory', { ...forwarded, origin: 'https://elsewhere.example' })).toEqual([403, null])
  })

  test('[X1] identifies the same user for any case and spacing of the name', async () => {
    const [first, second] = await Promise.all([visitAs(two, 'Eva Maria', 0), visitAs(two, ' EVA  maria ', 1)])
    await note(first, 'One list')
    await eventually(async () => expect(await notesOn(second)).toEqual(['One list']))
  })

  test('[X1] ends in every window on every instance, and its token becomes invalid', async () => {
    const here = await visitAs(two, 'Frida', 0)
    await note(here, 'Frida’s')
    const [there, elsewhere] = [await anotherWindow(two, here, 1), await visitAs(two, 'Frida', 1)]
    await eventually(async () => expect(await Promise.all([there, elsewhere].map(notesOn))).toEqual([['Frida’s'], ['Frida’s']]))
    const cookie = await cookiesOf(here)

    await here.getByRole('button', { name: 'Sign out' }).click()
    for (const page of [here, there]) {
      await page.getByLabel('Sign in as').waitFor()
      await isConnected(page)
      expect(await page.getByText('Frida’s').count()).toBe(0)
    }
    expect(await here.context().cookies()).toEqual([])
    const kept = await connectByHand(two.addresses[1], cookie)
    expect(await kept.request('storage:get', { key: 'user:frida:notes:1' })).toBe('FORBIDDEN')
    expect(await (await fetch(two.addresses[0], { headers: { cookie } })).text()).not.toContain('Frida’s')
    // Only this sign-in ended, not all of the user.
    await note(elsewhere, 'Still signed in')
    await eventually(async () => expect(await elsewhere.locator('.own').getByText('In sync').count()).toBe(1))
  })

  test('[X1] that expires removes the list from the page, and keeps shared data', async () => {
    const page = await visitAs(two, 'Greta', 0)
    await note(page, 'Greta’s')
    await page.locator('.own').getByText('In sync').waitFor()
    const [cookie] = await page.context().cookies()
    if (cookie === undefined) throw new Error('Who is signed in has a cookie.')
    // On a busy machine the page may need longer than the lifetime of the session.
    for (let lifetimeMs = 3_000; ; lifetimeMs *= 2) {
      await page.context().addCookies([{ ...cookie, value: await tokenFor('greta', Date.now() + lifetimeMs, two.secret) }])
      await page.reload()
      if ((await notesOn(page)).includes('Greta’s')) break
    }
    await page.getByText('Your sign-in has ended.').waitFor()
    expect(await page.getByText('Greta’s').count()).toBe(0)
    await isConnected(page)
    const before = await countOn(page)
    await page.getByRole('button', { name: 'Add one' }).click()
    await page.getByText('In sync').nth(2).waitFor()
    expect(await countOn(page)).toBe(before + 1)
    await page.getByRole('link', { name: 'Sign in again' }).click()
    await signIn(page, 'Greta')
    expect(await notesOn(page)).toEqual(['Greta’s'])
  })

  test('[X1] with a forged token shows the page for guests, and is deleted', async () => {
    const { status, headers } = await fetch(two.addresses[0], { headers: { cookie: 'tutti-session=rubbish' } })
    expect([status, headers.get('set-cookie')]).toEqual([200, expect.stringContaining('tutti-session=; Path=/; HttpOnly')])
    expect((await fetch(two.addresses[0])).headers.get('set-cookie')).toBe(null)
  })
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds no serious violation in ${colorScheme} mode on a phone, by keyboard`, async () => {
    const page = await visit(two, 0, { colorScheme, reducedMotion: 'reduce', viewport: { width: 390, height: 844 } })
    const expectClean = async (when: string): Promise<void> => {
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate(() => window.axe.run())
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      expect(serious.map(({ id, nodes }) => `${when}: ${id} at ${nodes.map(({ html }) => html).join(', ')}`)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth), when).toBe(390)
    }
    await expectClean('guest')
    await page.getByRole('link', { name: 'Sign in' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type((colorScheme === 'dark' ? 'M' : 'W').repeat(32))
    await page.keyboard.press('Enter')
    await page.locator('.signed-in').waitFor()
    await isConnected(page)
    // The field of the own list has the focus.
    await page.keyboard.type('W'.repeat(80))
    await page.keyboard.press('Enter')
    await eventually(async () => expect(await notesOn(page)).toEqual(['W'.repeat(80)]))
    for (const summary of await page.locator('summary').all()) await summary.click()
    await expectClean('signed in')
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await page.keyboard.press('Enter')
    await page.getByLabel('Sign in as').waitFor()
  })
}

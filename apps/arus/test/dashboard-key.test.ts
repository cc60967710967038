import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'

/** The dashboard of a running Arus that requires keys; addresses and a secret key come from the environment. */
const {
  ARUS_KEY_JOURNEY_DASHBOARD_URL: dashboardUrl = '',
  ARUS_KEY_JOURNEY_KEY: key = '',
  CHROMIUM_PATH: executablePath = '/usr/bin/chromium',
} = process.env
const canRun = dashboardUrl !== '' && key !== '' && existsSync(executablePath)

test.skipIf(!canRun)(
  'the dashboard asks for a key, says why one is refused, and is live with a good one',
  async () => {
    const browser = await chromium.launch({
      executablePath,
      args: ['--headless', '--no-sandbox', '--disable-gpu'],
    })
    try {
      const page = await browser.newPage({ locale: 'en-US' })
      await page.goto(dashboardUrl)
      await page.getByRole('heading', { name: 'This Arus asks for a key' }).waitFor()
      expect(await page.locator('.figure-value').count()).toBe(0)
      await page.getByLabel('Key').fill(`${key.slice(0, -1)}_`)
      await page.getByRole('button', { name: 'Use key' }).click()
      await page.getByRole('alert').filter({ hasText: 'not known here' }).waitFor()
      await page.getByLabel('Key').fill(key)
      await page.getByRole('button', { name: 'Use key' }).click()
      await page.locator('.figure-value').first().waitFor()
      await page.getByText('Live', { exact: true }).first().waitFor()
      await page.reload()
      await page.locator('.figure-value').first().waitFor()
      const other = await browser.newPage({ locale: 'en-US' })
      await other.goto(dashboardUrl)
      await other.getByRole('heading', { name: 'This Arus asks for a key' }).waitFor()
    } finally {
      await browser.close()
    }
  },
)

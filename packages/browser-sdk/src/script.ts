/**
 * The classic script: `<script src="https://arus.shop.example/sdk/arus.js" data-key="pk_…" data-consent="required" defer>` makes
 * `window.arus`. Events go to where the script came from, or to `data-endpoint`.
 */
import type { Arus, ArusOptions } from './api.ts'
import { init } from './init.ts'

declare global {
  interface Window {
    arus?: Arus
  }
}

const script = document.currentScript as HTMLScriptElement
const { endpoint, key, consent, user } = script.dataset
window.arus ??= init({
  endpoint: endpoint ?? new URL(script.src).origin,
  writeKey: key,
  consent: consent as ArusOptions['consent'],
  userId: user,
})

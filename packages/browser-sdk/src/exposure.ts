const MARKED = '[data-arus-recommendation]'
/** As much of it must be visible, for as long. */
const VISIBLE_SHARE = 0.5
const VISIBLE_MS = 1_000
/** New elements are looked for so long after the page changed. */
const CHANGE_WAIT_MS = 200

interface Shown {
  readonly recommendation_id: string
  readonly product_id: string
  readonly position?: number | undefined
}

export interface ExposureWatch {
  /** Looks again at everything that was not reported. */
  restart(): void
}

/**
 * Reports elements marked `data-arus-recommendation` (and `-product`, `-position`): `recommendation_viewed` once for each answer
 * and product, when half of the element has been visible for a second, and `recommendation_clicked` for each click. `report` says
 * whether it took it; what it did not take is reported after `restart`.
 */
export function watchRecommendations(
  report: (action: string, shown: Shown) => boolean | undefined,
): ExposureWatch {
  const reported = new Set<string>()
  const waiting = new Map<Element, ReturnType<typeof setTimeout>>()
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        clearTimeout(waiting.get(target))
        waiting.delete(target)
        if (isIntersecting)
          waiting.set(
            target,
            setTimeout(() => viewed(target), VISIBLE_MS),
          )
      }
    },
    { threshold: VISIBLE_SHARE },
  )
  const viewed = (element: Element) => {
    const shown = shownBy(element)
    if (!shown || reported.has(keyOf(shown)) || !report('recommendation_viewed', shown)) return
    reported.add(keyOf(shown))
    observer.unobserve(element)
  }
  const observeNew = () => {
    for (const element of document.querySelectorAll(MARKED)) {
      const shown = shownBy(element)
      // Observing what is observed already changes nothing.
      if (shown && !reported.has(keyOf(shown))) observer.observe(element)
    }
  }
  const restart = () => {
    observer.disconnect()
    for (const timer of waiting.values()) clearTimeout(timer)
    waiting.clear()
    if (!document.hidden) observeNew()
  }
  const clicked = ({ target }: Event) => {
    const shown = target instanceof Element && shownBy(target.closest(MARKED))
    if (shown) report('recommendation_clicked', shown)
  }

  let changed: ReturnType<typeof setTimeout> | undefined
  new MutationObserver(() => {
    if (changed) return
    changed = setTimeout(() => {
      changed = undefined
      observeNew()
    }, CHANGE_WAIT_MS)
  }).observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ['data-arus-recommendation', 'data-arus-product'],
  })
  // Captured, so that a page that stops the click itself does not hide it.
  document.addEventListener('click', clicked, true)
  document.addEventListener('auxclick', (event) => event.button === 1 && clicked(event), true)
  document.addEventListener('visibilitychange', restart)
  observeNew()
  return { restart }
}

function shownBy(element: Element | null): Shown | null {
  const { arusRecommendation, arusProduct, arusPosition } = (element as HTMLElement | null)?.dataset ?? {}
  return arusRecommendation && arusProduct
    ? {
        recommendation_id: arusRecommendation,
        product_id: arusProduct,
        position: Number(arusPosition) || undefined,
      }
    : null
}

function keyOf({ recommendation_id, product_id }: Shown): string {
  return `${recommendation_id} ${product_id}`
}

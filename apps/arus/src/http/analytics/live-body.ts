import type { LiveAnalyticsBody } from '../../api-schema/index.ts'
import type { LiveAnalytics } from '../../live/live-state.ts'

/** Live figures as the API gives them, with the conversion from step to step. */
export function liveBodyOf(live: LiveAnalytics): LiveAnalyticsBody {
  const { view, click, add_to_cart, purchase } = live.funnel
  return {
    ...live,
    actions: { ...live.actions },
    events_per_minute: [...live.events_per_minute],
    recent_events: live.recent_events as LiveAnalyticsBody['recent_events'],
    conversion: {
      view_to_click: share(click, view),
      click_to_cart: share(add_to_cart, click),
      cart_to_purchase: share(purchase, add_to_cart),
      view_to_purchase: share(purchase, view),
    },
  }
}

/** Null where nobody reached the step before. */
function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

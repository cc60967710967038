// What the pages share: the API, cards, the cart, the banner. `window.arus` is the SDK; `?.` because it may not have arrived.
const api = new URL(document.querySelector('script[src*="/sdk/arus"]').src).origin

/** Reads from the API. A real shop renders its products itself. */
export async function get(path) {
  const response = await fetch(api + path)
  const body = await response.json()
  if (!response.ok) throw new Error(body.detail)
  return body
}

/** Shows products as cards; those of a recommendation are marked, which is all that measuring them takes. */
export function show(place, products, recommendationId) {
  place.replaceChildren(
    ...products.map((product, i) => {
      const card = document.createElement('a')
      card.href = `product.html?id=${encodeURIComponent(product.product_id)}`
      card.className = 'card'
      if (recommendationId) {
        card.dataset.arusRecommendation = recommendationId
        card.dataset.arusProduct = product.product_id
        card.dataset.arusPosition = i + 1
      }
      const title = document.createElement('strong')
      title.textContent = product.title ?? product.product_id
      card.append(title, priceOf(product))
      return card
    }),
  )
}

/** Asks for recommendations and shows them. */
export async function recommend(query) {
  const answer = await window.arus?.recommendations(query)
  if (answer) show(document.querySelector('#recommended'), answer.recommendations, answer.recommendation_id)
}

export function priceOf({ price }) {
  return price === null ? 'not for sale' : `$${price.toFixed(2)}`
}

/** Lines in the cart, kept for the tab. */
export function cart() {
  return JSON.parse(sessionStorage.getItem('cart') ?? '[]')
}

export function setCart(lines) {
  sessionStorage.setItem('cart', JSON.stringify(lines))
  showCart()
}

function showCart() {
  document.querySelector('#cart').textContent = `Cart: ${cart().length}`
}

/** Asks once. The SDK remembers a yes; a shop remembers a no as its law wants it. */
function askForConsent() {
  if (localStorage.getItem('asked')) return
  const banner = document.createElement('footer')
  banner.append('May we count what you look at? ')
  for (const [text, isGiven] of [
    ['Yes', true],
    ['No', false],
  ]) {
    const button = document.createElement('button')
    button.textContent = text
    button.onclick = () => {
      window.arus?.consent(isGiven)
      localStorage.setItem('asked', text)
      banner.remove()
    }
    banner.append(button)
  }
  document.body.append(banner)
}

askForConsent()
showCart()

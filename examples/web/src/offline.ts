/**
 * Registers the service worker, which makes the page work offline, and cross-origin isolated on hosts that send no
 * headers for it. A first visit without them is loaded again, once, before the visitor has begun anything.
 */
export async function workOffline(isBusy: () => boolean): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register('./service-worker.js');
    if (crossOriginIsolated || navigator.serviceWorker.controller) return;
    await controlled(registration);
    if (!isBusy() && sessionStorage.getItem('reloaded') === null) {
      sessionStorage.setItem('reloaded', 'yes');
      location.reload();
    }
  } catch {
    // The page works without: online, and with one thread.
  }
}

async function controlled(registration: ServiceWorkerRegistration): Promise<void> {
  if (registration.active && navigator.serviceWorker.controller) return;
  await new Promise((resolve) =>
    navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
  );
}

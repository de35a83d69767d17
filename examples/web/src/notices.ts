import { byId } from './element';

/** Shows a message until it is dismissed or another of the same topic takes its place; screen readers interrupt. */
export function notify(topic: string, message: string, action?: { label: string; run(): void }): void {
  dismiss(topic);
  const notice = Object.assign(document.createElement('div'), { className: 'notice' });
  notice.dataset.topic = topic;
  notice.role = 'alert';
  const text = document.createElement('p');
  text.textContent = message;
  const buttons = [...(action ? [action] : []), { label: 'Close', run: () => {} }].map(({ label, run }) => {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: label });
    button.addEventListener('click', () => {
      notice.remove();
      run();
    });
    return button;
  });
  notice.append(text, ...buttons);
  byId('notices', HTMLElement).append(notice);
}

/** Takes the message of a topic away, if there is one. */
export function dismiss(topic: string): void {
  byId('notices', HTMLElement).querySelector(`[data-topic="${topic}"]`)?.remove();
}

/** Says something to screen readers, once they have finished what they are saying. */
export function announce(message: string): void {
  byId('announcement', HTMLElement).textContent = message;
}

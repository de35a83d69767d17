import { byId } from './element';
import { notify } from './notices';

/** Shows what the camera sees until a picture is taken. @returns undefined if there is none */
export async function photograph(): Promise<Blob | undefined> {
  const dialog = byId('camera', HTMLDialogElement);
  const video = byId('viewfinder', HTMLVideoElement);
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: 'environment', width: { ideal: 1920 } },
    });
  } catch (error) {
    notify('camera', problemOf(error));
    return undefined;
  }
  try {
    video.srcObject = stream;
    dialog.returnValue = '';
    dialog.showModal();
    await video.play();
    await new Promise<void>((resolve) => {
      dialog.onclose = () => resolve();
      byId('shoot', HTMLButtonElement).onclick = () => dialog.close('taken');
      byId('close-camera', HTMLButtonElement).onclick = () => dialog.close();
    });
    return dialog.returnValue === 'taken' ? await frameOf(video) : undefined;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}

function problemOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError')
    return 'The camera is not allowed on this page. Allow it in the address bar, or choose a file.';
  if (name === 'NotFoundError' || navigator.mediaDevices === undefined)
    return 'There is no camera here. Choose a file instead.';
  return 'The camera does not start; another program may be using it. Choose a file instead.';
}

async function frameOf(video: HTMLVideoElement): Promise<Blob | undefined> {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  return blob ?? undefined;
}

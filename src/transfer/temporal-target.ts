import { weighted } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { temporalLoss } from '../losses/temporal-loss';
import type { TemporalTarget } from './later-frame';
import type { Chroma } from './moved-colors';

/** The temporal loss of a frame, with its weight; it belongs to the caller. @param chroma of a run in grey */
export function temporalLossOf(
  { warped, reliability, weight }: TemporalTarget,
  chroma: Chroma | undefined,
): Loss {
  const target = chroma ? chroma.grey(warped) : warped;
  try {
    return weighted(weight, temporalLoss(target, reliability));
  } finally {
    if (chroma) target.dispose();
  }
}

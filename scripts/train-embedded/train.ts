import { balanceLayers } from './balance-layers.ts';
import { learnLayers, type NetworkWeights } from './learn-layers.ts';
import type { Recipe } from './recipe.ts';
import { trainingPictures } from './training-pictures.ts';

/**
 * Draws the pictures, learns the layers from them, and brings the layers into balance.
 *
 * @param tell hears of every step done
 */
export function train(recipe: Recipe, tell: (step: string) => void): NetworkWeights {
  const pictures = [...trainingPictures(recipe.pictures, recipe.pictureSide, recipe.seed)];
  tell(`${pictures.length} pictures drawn`);
  const learned = learnLayers(pictures, recipe, (layer) => tell(`${layer} learned`));
  const { weights, scales } = balanceLayers(learned, pictures, recipe);
  tell(`balanced by ${scales.map((scale) => scale.toFixed(3)).join(', ')}`);
  return weights;
}

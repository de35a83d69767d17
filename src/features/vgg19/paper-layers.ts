/** The five convolutions of Li et al. 2021, table 1, in the order of computation: the layers of their style loss. */
export const paperLayers = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;

/** The fourth of {@link paperLayers}: the layer of the content loss of Li et al. 2021. */
export const paperContentLayers = ['conv2_2'] as const;

/** The deepest of {@link paperLayers}: the end of a network unless a deeper layer is requested. */
export const deepestPaperLayer = 'conv3_1';

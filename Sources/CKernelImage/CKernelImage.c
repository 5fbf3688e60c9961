/* Embeds the images that lie in the folder Image when this file is compiled. `make kernels` touches
 * this file: without that a first image would go unnoticed, since nothing depends on it yet. */
#include "CKernelImage.h"

/* `#embed` is of C23; clang has it in every version of the language. */
#pragma clang diagnostic ignored "-Wc23-extensions"

#if __has_embed("Image/light.ptx") && __has_embed("Image/light.sm_90.cubin")
#define HAS_LIGHT
static const unsigned char light_ptx[] = {
#embed "Image/light.ptx"
};
static const unsigned char light_sm_90[] = {
#embed "Image/light.sm_90.cubin"
};
#endif

#if __has_embed("Image/complete.ptx") && __has_embed("Image/complete.sm_90.cubin")
#define HAS_COMPLETE
static const unsigned char complete_ptx[] = {
#embed "Image/complete.ptx"
};
static const unsigned char complete_sm_90[] = {
#embed "Image/complete.sm_90.cubin"
};
#endif

#if __has_embed("Image/coprocessors.ptx") && __has_embed("Image/coprocessors.sm_90.cubin")
#define HAS_COPROCESSORS
static const unsigned char coprocessors_ptx[] = {
#embed "Image/coprocessors.ptx"
};
static const unsigned char coprocessors_sm_90[] = {
#embed "Image/coprocessors.sm_90.cubin"
};
#endif

#if __has_embed("Image/precompiles.ptx") && __has_embed("Image/precompiles.sm_90.cubin")
#define HAS_PRECOMPILES
static const unsigned char precompiles_ptx[] = {
#embed "Image/precompiles.ptx"
};
static const unsigned char precompiles_sm_90[] = {
#embed "Image/precompiles.sm_90.cubin"
};
#endif

static const struct kernel_image_bytes images[] = {
#ifdef HAS_LIGHT
    {"light machine code", light_sm_90, sizeof light_sm_90},
    {"light PTX", light_ptx, sizeof light_ptx},
#endif
#ifdef HAS_COMPLETE
    {"complete machine code", complete_sm_90, sizeof complete_sm_90},
    {"complete PTX", complete_ptx, sizeof complete_ptx},
#endif
#ifdef HAS_COPROCESSORS
    {"coprocessors machine code", coprocessors_sm_90, sizeof coprocessors_sm_90},
    {"coprocessors PTX", coprocessors_ptx, sizeof coprocessors_ptx},
#endif
#ifdef HAS_PRECOMPILES
    {"precompiles machine code", precompiles_sm_90, sizeof precompiles_sm_90},
    {"precompiles PTX", precompiles_ptx, sizeof precompiles_ptx},
#endif
    {NULL, NULL, 0},
};

int kernel_image_count(void) { return sizeof images / sizeof images[0] - 1; }
struct kernel_image_bytes kernel_image(int index) { return images[index]; }

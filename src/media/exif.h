/* exif.h - the one EXIF tag that moves pixels: orientation (0x0112 of the first image directory).
 * Source: CIPA DC-008 (Exif 2.32), sections 4.5 and 4.6.4; PNG extension eXIf; WebP container specification.
 */
#ifndef GR_MEDIA_EXIF_H
#define GR_MEDIA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation, 1..8, that a JPEG (APP1), PNG (eXIf) or WebP (EXIF chunk) file states; 1 when it states
 * none or the block is damaged: a broken orientation is no reason to refuse a picture. */
int gr_exif_orientation(const uint8_t *file, size_t n);

/* The same from a bare EXIF block, which begins with "II*" or "MM.*"; 0 when there is none. */
int gr_exif_orientation_of_block(const uint8_t *tiff, size_t n);

/* out = pixels[height][width][channels] turned as `orientation` asks (see gr_image_turn); from 5 on, out is
 * [width][height][channels]. The two do not overlap. */
void gr_exif_turn(uint8_t *out, const uint8_t *pixels, int width, int height, int channels, int orientation);

#endif

/* A target for libFuzzer: the input is cut at its zero octets into Authorization, query, form, path and method. Each part
 * is copied into memory of exactly its size, so that AddressSanitizer sees every octet that is read outside of it. */
#include <stdlib.h>
#include <string.h>

#include "reader.h"

enum { PARTS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Reading reading;
    static uint8_t room[BASE_ROOM];
    const Octets scheme = {(const uint8_t *)"https", 5}, host = {(const uint8_t *)"a.example", 9};
    Octets part[PARTS];
    uint8_t *copy[PARTS];
    size_t written = 1, identifiers = 0;
    for (int i = 0; i < PARTS; i++) {
        const uint8_t *end = i < PARTS - 1 ? memchr(data, 0, size) : NULL;
        size_t length = end ? (size_t)(end - data) : size;
        copy[i] = malloc(length);
        if (length)
            memcpy(copy[i], data, length);
        part[i] = (Octets){copy[i], length};
        data += length + (end != NULL);
        size -= length + (end != NULL);
    }
    form_label(part[0]);
    if (read_parameters(part[0], part[1], part[2], 200, &reading) == USUAL) {
        for (size_t i = 0; i < reading.protocols; i++)
            written += decode_value(&reading.piece[reading.protocol[i]], room).size;
        if (usual_timestamp(&reading, &identifiers) && !identifiers)
            abort();
        written += write_base_string(part[4], scheme, host, part[3], &reading, room);
    }
    for (int i = 0; i < PARTS; i++)
        free(copy[i]);
    return written == 0; /* never */
}

/* The core of the native reader: octets in, octets out. It knows no Python, allocates nothing and keeps no state.
 *
 * It reads what nearly all clients send. Everything else is UNUSUAL, and is read again by the Python modules of
 * async_oauth1.protocol: they alone know what is an error, and what is tolerated. So there is one property to review:
 * whatever is USUAL here, Python reads with the same result. tests/native compares both. */
#ifndef ASYNC_OAUTH1_READER_H
#define ASYNC_OAUTH1_READER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The limits. Each array below has room for the worst case within them, so no octet is written out of bounds. */
enum {
    MOST_OCTETS = 8192, /* of header, query and form together */
    MOST_PIECES = 256,  /* parameters of header, query and form together */
    MOST_PROTOCOL = 16, /* protocol parameters */
};
enum { MOST_METHOD = 32, MOST_SCHEME = 8, MOST_HOST = 320, MOST_PATH = 2048 };
/* Canonical text: each octet becomes up to three, and each piece, also the one too many, may gain a "=". */
enum { CANONICAL_ROOM = 3 * MOST_OCTETS + MOST_PIECES + 1 };
/* Each octet becomes up to five ("%25" and two digits), each piece gains "%3D" and "%26"; before them method and URI. */
enum {
    BASE_ROOM = 5 * MOST_OCTETS + 6 * MOST_PIECES + 3 * (MOST_METHOD + MOST_SCHEME + MOST_HOST + MOST_PATH) + 16
};

typedef enum { USUAL, UNUSUAL } Verdict;
typedef enum { HEADER, QUERY, BODY, NO_PLACE } Place;
/* The protocol parameters that every usual request has, two more of them, and the one that no usual request has. */
typedef enum { CONSUMER_KEY, SIGNATURE_METHOD, TIMESTAMP, NONCE, SIGNATURE, TOKEN, VERSION, BODY_HASH, NAMES } Name;

typedef struct {
    const uint8_t *at;
    size_t size;
} Octets;
#define TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}
extern const Octets parameter_names[NAMES]; /* a zero octet follows each */

/* A parameter in canonical text: its name, "=", its value. */
typedef struct {
    const uint8_t *name;
    uint16_t name_size;
    uint16_t value_size;
    uint16_t is_plain; /* without percent signs */
    uint16_t known;    /* a `Name`, or NAMES for any other */
} Piece;

typedef struct {
    Octets realm;      /* within the header; at is NULL without a realm */
    Place place;       /* of the protocol parameters */
    int others;        /* whether the header has parameters whose names do not begin with "oauth_" */
    size_t pieces;
    size_t protocols;
    Piece piece[MOST_PIECES];
    uint16_t protocol[MOST_PROTOCOL]; /* indices of pieces */
    const Piece *known[NAMES];        /* NULL for those that are missing */
    uint8_t canonical[CANONICAL_ROOM];
} Reading;

/* Read the value of the Authorization header, the query and the form; each may be empty. */
Verdict read_parameters(Octets header, Octets query, Octets form, size_t max_parameters, Reading *reading);

/* Write the base string (RFC 5849 section 3.4.1) into BASE_ROOM octets, and return its size; 0 if a part is too long. */
size_t write_base_string(Octets method, Octets scheme, Octets host, Octets path, const Reading *reading, uint8_t *out);

/* Decode the value of a piece into as many octets as it has at most. */
Octets decode_value(const Piece *piece, uint8_t *out);

/* The timestamp, if protocol parameters are all that the lane wants of them whatever the policy is; otherwise 0. The
 * octets of client identifier, token, nonce and timestamp are counted. See async_oauth1.provider.lane. */
uint64_t usual_timestamp(const Reading *reading, size_t *identifiers);

/* Whether a Content-Type is exactly that of a form (1) or surely of none (0); -1 if Python has to look at it. */
int form_label(Octets content_type);

/* Whether octets are these lower-case letters and hyphens, in any case. */
int equals_ignoring_case(Octets octets, Octets lower);

static inline Octets name_of(const Piece *piece)
{
    return (Octets){piece->name, piece->name_size};
}

static inline Octets value_of(const Piece *piece)
{
    return (Octets){piece->name + piece->name_size + 1, piece->value_size};
}

static inline int equals(Octets left, Octets right)
{
    return left.size == right.size && !memcmp(left.at, right.at, left.size);
}

#endif

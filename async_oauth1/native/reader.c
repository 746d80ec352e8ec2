#include "reader.h"

const Octets parameter_names[NAMES] = {
    TEXT("oauth_consumer_key"), TEXT("oauth_signature_method"), TEXT("oauth_timestamp"), TEXT("oauth_nonce"),
    TEXT("oauth_signature"), TEXT("oauth_token"), TEXT("oauth_version"), TEXT("oauth_body_hash"),
};

static int is_unreserved(uint8_t c) /* RFC 3986 section 2.3 */
{
    static const uint8_t table[256] = {
        ['-'] = 1, ['.'] = 1, ['_'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
    };
    return table[c];
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

int equals_ignoring_case(Octets octets, Octets text)
{
    if (octets.size != text.size)
        return 0;
    for (size_t i = 0; i < octets.size; i++)
        if (lower(octets.at[i]) != text.at[i])
            return 0;
    return 1;
}

static uint8_t *write_escaped(uint8_t *out, uint8_t c)
{
    static const char digits[] = "0123456789ABCDEF";
    *out++ = '%';
    *out++ = (uint8_t)digits[c >> 4];
    *out++ = (uint8_t)digits[c & 15];
    return out;
}

/* Decode and encode again. The octets of a malformed escape are kept, so its percent sign is escaped. */
static uint8_t *write_canonical(uint8_t *out, const uint8_t *at, const uint8_t *end, int plus_is_space)
{
    while (at < end) {
        uint8_t c = *at++;
        if (is_unreserved(c)) {
            *out++ = c;
            continue;
        }
        if (c == '%' && end - at >= 2 && hex_digit(at[0]) >= 0 && hex_digit(at[1]) >= 0) {
            c = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
            at += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (is_unreserved(c))
            *out++ = c;
        else
            out = write_escaped(out, c);
    }
    return out;
}

static int is_repeated(const Reading *reading, const Piece *piece)
{
    for (size_t i = 0; i < reading->protocols; i++) {
        const Piece *other = &reading->piece[reading->protocol[i]];
        if (other->known == piece->known && (piece->known < NAMES || equals(name_of(other), name_of(piece))))
            return 1;
    }
    return 0;
}

/* Keep a parameter that was written from `name` to `end`, with its "=" at `equal`. */
static Verdict add_piece(Reading *reading, const uint8_t *name, const uint8_t *equal, const uint8_t *end, Place place)
{
    if (reading->pieces >= MOST_PIECES)
        return UNUSUAL;
    Piece *piece = &reading->piece[reading->pieces];
    piece->name = name;
    piece->name_size = (uint16_t)(equal - name);
    piece->value_size = (uint16_t)(end - equal - 1);
    piece->is_plain = !memchr(name, '%', (size_t)(end - name));
    piece->known = NAMES;
    if (piece->name_size >= 6 && !memcmp(name, "oauth_", 6)) {
        piece->known = 0;
        while (piece->known < NAMES && !equals(name_of(piece), parameter_names[piece->known]))
            piece->known++;
        if (reading->protocols >= MOST_PROTOCOL || is_repeated(reading, piece))
            return UNUSUAL;
        if (reading->protocols && reading->place != place) /* in two places */
            return UNUSUAL;
        if (piece->known < NAMES)
            reading->known[piece->known] = piece;
        reading->place = place;
        reading->protocol[reading->protocols++] = (uint16_t)reading->pieces;
    } else if (place == HEADER) {
        reading->others = 1;
    }
    reading->pieces++;
    return USUAL;
}

/* A quoted value without backslashes: return what is behind its opening quote, up to the closing one, or NULL. */
static const uint8_t *closing_quote(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *close = memchr(at, '"', (size_t)(end - at));
    return close && !memchr(at, '\\', (size_t)(close - at)) ? close : NULL;
}

static const uint8_t *skip_spaces(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at == ' ')
        at++;
    return at;
}

/* realm="...", and what separates it from the parameters; without it, return `at`. NULL: unusual. */
static const uint8_t *read_realm(const uint8_t *at, const uint8_t *end, Reading *reading)
{
    if (end - at < 7 || memcmp(at, "realm=\"", 7))
        return at;
    at += 7;
    const uint8_t *close = closing_quote(at, end);
    if (!close || end - close < 2 || close[1] != ',')
        return NULL;
    reading->realm = (Octets){at, (size_t)(close - at)};
    return skip_spaces(close + 2, end);
}

/* credentials = "OAuth" 1*SP [ realm "," *SP ] parameter *( "," [ SP ] parameter ) */
static Verdict read_header(Octets header, Reading *reading, uint8_t **written)
{
    const uint8_t *at = header.at, *end;
    uint8_t *out = *written;
    if (!header.size)
        return USUAL;
    end = at + header.size;
    if (header.size < 6 || memcmp(at, "OAuth ", 6) || !(at = read_realm(skip_spaces(at + 6, end), end, reading)))
        return UNUSUAL;
    for (;;) {
        uint8_t *name = out, *middle;
        const uint8_t *close;
        while (at < end && is_unreserved(*at))
            *out++ = *at++;
        middle = out;
        if (middle == name || end - at < 3 || at[0] != '=' || at[1] != '"')
            return UNUSUAL;
        if (equals_ignoring_case((Octets){name, (size_t)(middle - name)}, (Octets)TEXT("realm")))
            return UNUSUAL;
        if (!(close = closing_quote(at += 2, end)))
            return UNUSUAL;
        *out++ = '=';
        out = write_canonical(out, at, close, 0);
        if (add_piece(reading, name, middle, out, HEADER))
            return UNUSUAL;
        at = close + 1;
        if (at == end)
            break;
        if (*at++ != ',')
            return UNUSUAL;
        if (at < end && *at == ' ')
            at++;
    }
    *written = out;
    return USUAL;
}

/* A query or a form: pieces between "&"; empty ones are skipped, and "a" is read as "a=". */
static Verdict read_pairs(Octets octets, size_t max_parameters, Place place, Reading *reading, uint8_t **written)
{
    const uint8_t *at = octets.at, *end;
    uint8_t *out = *written;
    size_t separators = 0;
    if (!octets.size)
        return USUAL;
    end = at + octets.size;
    for (;;) {
        const uint8_t *stop = memchr(at, '&', (size_t)(end - at));
        if (stop && ++separators >= max_parameters)
            return UNUSUAL;
        const uint8_t *piece_end = stop ? stop : end;
        if (piece_end > at) {
            const uint8_t *equal = memchr(at, '=', (size_t)(piece_end - at));
            uint8_t *name = out, *middle = write_canonical(out, at, equal ? equal : piece_end, 1);
            out = middle;
            *out++ = '=';
            if (equal)
                out = write_canonical(out, equal + 1, piece_end, 1);
            if (add_piece(reading, name, middle, out, place))
                return UNUSUAL;
        }
        if (!stop)
            break;
        at = stop + 1;
    }
    *written = out;
    return USUAL;
}

Verdict read_parameters(Octets header, Octets query, Octets form, size_t max_parameters, Reading *reading)
{
    uint8_t *written = reading->canonical;
    reading->realm = (Octets){NULL, 0};
    reading->place = NO_PLACE;
    reading->others = 0;
    reading->pieces = reading->protocols = 0;
    memset(reading->known, 0, sizeof reading->known);
    if (header.size > MOST_OCTETS || query.size > MOST_OCTETS || form.size > MOST_OCTETS ||
        header.size + query.size + form.size > MOST_OCTETS)
        return UNUSUAL;
    if (read_header(header, reading, &written) || read_pairs(query, max_parameters, QUERY, reading, &written) ||
        read_pairs(form, max_parameters, BODY, reading, &written))
        return UNUSUAL;
    return reading->pieces > max_parameters ? UNUSUAL : USUAL;
}

static int compare(Octets left, Octets right)
{
    int sign = memcmp(left.at, right.at, left.size < right.size ? left.size : right.size);
    return sign ? sign : (left.size > right.size) - (left.size < right.size);
}

/* The order of section 3.4.1.3.2: by name, then by value. */
static int is_before(const Piece *left, const Piece *right)
{
    int sign = compare(name_of(left), name_of(right));
    return (sign ? sign : compare(value_of(left), value_of(right))) < 0;
}

/* Insert by bisection: the C library's own sort may allocate. */
static size_t sort_pieces(const Reading *reading, const Piece **sorted)
{
    size_t count = 0;
    for (size_t i = 0; i < reading->pieces; i++) {
        const Piece *piece = &reading->piece[i];
        size_t low = 0, high = count;
        if (piece->known == SIGNATURE)
            continue;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (is_before(piece, sorted[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        memmove(&sorted[low + 1], &sorted[low], (count - low) * sizeof *sorted);
        sorted[low] = piece;
        count++;
    }
    return count;
}

static uint8_t *write_octets(uint8_t *out, Octets octets)
{
    memcpy(out, octets.at, octets.size);
    return out + octets.size;
}

/* Canonical text, encoded once more: only its percent signs change. */
static uint8_t *write_twice_encoded(uint8_t *out, Octets octets, int is_plain)
{
    if (is_plain)
        return write_octets(out, octets);
    for (size_t i = 0; i < octets.size; i++) {
        *out++ = octets.at[i];
        if (octets.at[i] == '%') {
            *out++ = '2';
            *out++ = '5';
        }
    }
    return out;
}

static uint8_t *write_encoded(uint8_t *out, Octets octets)
{
    for (size_t i = 0; i < octets.size; i++) {
        if (is_unreserved(octets.at[i]))
            *out++ = octets.at[i];
        else
            out = write_escaped(out, octets.at[i]);
    }
    return out;
}

size_t write_base_string(Octets method, Octets scheme, Octets host, Octets path, const Reading *reading, uint8_t *out)
{
    const Piece *sorted[MOST_PIECES];
    uint8_t *begin = out, *upper;
    size_t count;
    if (method.size > MOST_METHOD || scheme.size > MOST_SCHEME || host.size > MOST_HOST || path.size > MOST_PATH)
        return 0;
    out = write_encoded(out, method);
    for (upper = begin; upper < out; upper++)
        if (*upper >= 'a' && *upper <= 'z')
            *upper = (uint8_t)(*upper - 32);
    out = write_octets(out, (Octets)TEXT("&"));
    out = write_encoded(out, scheme);
    out = write_octets(out, (Octets)TEXT("%3A%2F%2F"));
    out = write_encoded(out, host);
    out = write_encoded(out, path);
    out = write_octets(out, (Octets)TEXT("&"));
    count = sort_pieces(reading, sorted);
    for (size_t i = 0; i < count; i++) {
        const Piece *piece = sorted[i];
        if (i)
            out = write_octets(out, (Octets)TEXT("%26"));
        out = write_twice_encoded(out, name_of(piece), piece->is_plain);
        out = write_octets(out, (Octets)TEXT("%3D"));
        out = write_twice_encoded(out, value_of(piece), piece->is_plain);
    }
    return (size_t)(out - begin);
}

Octets decode_value(const Piece *piece, uint8_t *out)
{
    Octets value = value_of(piece);
    const uint8_t *at = value.at, *end = at + value.size;
    uint8_t *begin = out;
    if (piece->is_plain)
        return value;
    while (at < end) {
        uint8_t c = *at++;
        if (c == '%') { /* canonical text: two digits follow */
            c = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
            at += 2;
        }
        *out++ = c;
    }
    return (Octets){begin, (size_t)(out - begin)};
}

/* The decoded size of a value of printable ASCII; 0 if it is missing, empty, or has anything else. */
static size_t printable_size(const Piece *piece)
{
    Octets value = piece ? value_of(piece) : (Octets){NULL, 0};
    const uint8_t *at = value.at, *end = at + value.size;
    size_t size = 0;
    if (!piece || piece->is_plain)
        return value.size;
    for (; at < end; size++, at += *at == '%' ? 3 : 1)
        if (*at == '%' && (at[1] < '2' || at[1] > '7' || (at[1] == '7' && at[2] == 'F')))
            return 0;
    return size;
}

uint64_t usual_timestamp(const Reading *reading, size_t *identifiers)
{
    const Piece *const *known = reading->known;
    const size_t client = printable_size(known[CONSUMER_KEY]), nonce = printable_size(known[NONCE]),
                 token = printable_size(known[TOKEN]), digits = printable_size(known[TIMESTAMP]);
    uint64_t timestamp = 0;
    if (!client || !nonce || !digits || digits > 12 || !known[SIGNATURE] || !known[SIGNATURE]->value_size ||
        !known[SIGNATURE_METHOD] || known[BODY_HASH] || (known[TOKEN] && known[TOKEN]->value_size && !token) ||
        (known[VERSION] && !equals(value_of(known[VERSION]), (Octets)TEXT("1.0"))))
        return 0;
    for (size_t i = 0; i < known[TIMESTAMP]->value_size; i++) {
        const uint8_t c = value_of(known[TIMESTAMP]).at[i];
        if (c < '0' || c > '9' || (c == '0' && !timestamp))
            return 0;
        timestamp = 10 * timestamp + (c - '0');
    }
    *identifiers = client + token + nonce + digits;
    return timestamp;
}

int form_label(Octets content_type)
{
    static const char word[] = "urlencoded";
    size_t found = 0;
    if (equals(content_type, (Octets)TEXT("application/x-www-form-urlencoded")))
        return 1;
    if (content_type.size > 255)
        return -1;
    for (size_t i = 0; i < content_type.size; i++) {
        uint8_t c = content_type.at[i];
        if (c == '*')
            return -1;
        if (found < sizeof word - 1 && lower(c) == (uint8_t)word[found])
            found++;
    }
    return found == sizeof word - 1 ? -1 : 0; /* its letters, with anything between them */
}

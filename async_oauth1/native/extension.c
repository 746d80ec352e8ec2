/* The Python side of the native reader: a module of the limited API, so one file serves CPython 3.11 and later.
 *
 * Its functions return None for whatever they leave to Python, and raise no error of their own. */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#include "reader.h"

/* Raise this together with async_oauth1.native.INTERFACE if arguments, results or their meaning change. */
enum { INTERFACE = 1 };

enum { CONSUMER_KEY, TOKEN, SIGNATURE_METHOD, TIMESTAMP, NONCE, VERSION, SIGNATURE, NAMES };
static const char *const names[NAMES] = {
    "oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_timestamp",
    "oauth_nonce", "oauth_version", "oauth_signature",
};
enum { METHOD, SCHEME, RAW_PATH, QUERY_STRING, HEADERS, CLIENT, KEYS };
static const char *const keys[KEYS] = {"method", "scheme", "raw_path", "query_string", "headers", "client"};
static const char *const places[NO_PLACE] = {"HEADER", "QUERY", "BODY"};

/* Interned text, and nothing that a request could change. */
typedef struct {
    PyObject *name[NAMES];
    PyObject *key[KEYS];
    PyObject *place[NO_PLACE];
} State;

/* Headers from which servers take scheme or peer: `async_oauth1.asgi.origin` judges these. */
static const char *const rewriting[] = {
    "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-protocol", "x-forwarded-ssl",
};

static int is_octets(PyObject *object, Octets *octets)
{
    char *at;
    Py_ssize_t size;
    if (!object || !PyBytes_CheckExact(object) || PyBytes_AsStringAndSize(object, &at, &size) < 0) {
        PyErr_Clear();
        return 0;
    }
    *octets = (Octets){(const uint8_t *)at, (size_t)size};
    return 1;
}

static int is_ascii(PyObject *object, Octets *octets)
{
    const char *at;
    Py_ssize_t size;
    if (!object || !PyUnicode_CheckExact(object) || !(at = PyUnicode_AsUTF8AndSize(object, &size))) {
        PyErr_Clear();
        return 0;
    }
    *octets = (Octets){(const uint8_t *)at, (size_t)size};
    return size == PyUnicode_GetLength(object); /* its UTF-8 is as long as itself */
}

static int is_size(PyObject *object, size_t *size)
{
    *size = PyLong_Check(object) ? PyLong_AsSize_t(object) : (size_t)-1;
    if (*size == (size_t)-1) {
        PyErr_Clear();
        return 0;
    }
    return 1;
}

/* None, unless there is an error that must not be hidden: octets that are not UTF-8 are left to Python. */
static PyObject *give_up(void)
{
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            return NULL;
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

static PyObject *name_of(const State *state, const Piece *piece)
{
    for (int i = 0; i < NAMES; i++)
        if (equals((Octets){piece->name, piece->name_size}, names[i]))
            return Py_NewRef(state->name[i]);
    return PyUnicode_FromStringAndSize((const char *)piece->name, (Py_ssize_t)piece->name_size);
}

/* The protocol parameters, decoded. NULL with an error, also if a value is not UTF-8. `room` holds any value. */
static PyObject *parameters_of(const State *state, const Reading *reading, uint8_t *room)
{
    PyObject *parameters = PyDict_New();
    for (size_t i = 0; parameters && i < reading->protocols; i++) {
        const Piece *piece = &reading->piece[reading->protocol[i]];
        size_t size = decode_value(piece, room);
        PyObject *value = PyUnicode_DecodeUTF8((const char *)room, (Py_ssize_t)size, "strict");
        PyObject *name = value ? name_of(state, piece) : NULL;
        if (!name || PyDict_SetItem(parameters, name, value) < 0)
            Py_CLEAR(parameters);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return parameters;
}

static PyObject *realm_of(const Reading *reading)
{
    if (!reading->realm.at)
        return Py_NewRef(Py_None);
    return PyUnicode_DecodeLatin1((const char *)reading->realm.at, (Py_ssize_t)reading->realm.size, NULL);
}

/* The parts of a request, and the limit on its parameters. */
typedef struct {
    Octets method, scheme, host, path, header, query, form;
    size_t max_parameters;
} Parts;

/* What a request is read into. It is not on the stack: that of a thread may be small, see `threading.stack_size`. */
typedef struct {
    Reading reading;
    uint8_t room[BASE_ROOM];
} Work;

static PyObject *build_parts(const State *state, const Parts *parts, Work *work)
{
    const Reading *reading = &work->reading;
    size_t size;
    PyObject *parameters, *realm, *base, *result = NULL;
    if (read_parameters(parts->header, parts->query, parts->form, parts->max_parameters, &work->reading))
        Py_RETURN_NONE;
    parameters = parameters_of(state, reading, work->room);
    if (!parameters)
        return give_up();
    size = write_base_string(parts->method, parts->scheme, parts->host, parts->path, reading, work->room);
    if (!size) {
        Py_DECREF(parameters);
        Py_RETURN_NONE;
    }
    base = PyUnicode_FromStringAndSize((const char *)work->room, (Py_ssize_t)size);
    realm = base ? realm_of(reading) : NULL;
    if (realm)
        result = PyTuple_Pack(5, reading->place == NO_PLACE ? Py_None : state->place[reading->place], parameters, realm,
                              reading->others ? Py_True : Py_False, base);
    Py_XDECREF(realm);
    Py_XDECREF(base);
    Py_DECREF(parameters);
    return result;
}

/* (place, protocol parameters, realm, whether the header has others, base string), None, or NULL with an error. */
static PyObject *read_parts(const State *state, const Parts *parts)
{
    PyObject *result;
    Work *work = PyMem_Malloc(sizeof *work);
    if (!work)
        return PyErr_NoMemory();
    result = build_parts(state, parts, work);
    PyMem_Free(work);
    return result;
}

PyDoc_STRVAR(read_doc,
"read(method, scheme, host, path, header, query, form, max_parameters, /)\n--\n\n"
"Read a request's parameters: place, protocol parameters, realm, whether the header has others, base string.\n"
"None if Python has to read them.");

static PyObject *native_read(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Parts parts;
    if (count != 8) {
        PyErr_SetString(PyExc_TypeError, "read() takes 8 arguments");
        return NULL;
    }
    if (!is_ascii(args[0], &parts.method) || !is_ascii(args[1], &parts.scheme) || !is_ascii(args[2], &parts.host) ||
        !is_octets(args[3], &parts.path) || !is_octets(args[4], &parts.header) || !is_octets(args[5], &parts.query) ||
        !is_octets(args[6], &parts.form) || !is_size(args[7], &parts.max_parameters))
        Py_RETURN_NONE;
    return read_parts(PyModule_GetState(module), &parts);
}

/* What `read_scope` needs of the header fields. References are borrowed. */
typedef struct {
    PyObject *host, *authorization;
    Octets header;
    int is_form;
} Fields;

/* Whether the fields have nothing that only Python judges. */
static int read_fields(PyObject *headers, Fields *fields)
{
    int has_type = 0;
    fields->host = fields->authorization = NULL;
    fields->header = (Octets){NULL, 0};
    fields->is_form = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(headers); i++) {
        PyObject *pair = PyList_GetItem(headers, i);
        Octets name, value;
        if (!pair || !PyTuple_CheckExact(pair) || PyTuple_Size(pair) != 2 || !is_octets(PyTuple_GetItem(pair, 0), &name) ||
            !is_octets(PyTuple_GetItem(pair, 1), &value))
            return 0;
        if (equals(name, "host")) {
            if (fields->host)
                return 0;
            fields->host = PyTuple_GetItem(pair, 1);
        } else if (equals_ignoring_case(name, "authorization")) {
            if (fields->authorization)
                return 0;
            fields->authorization = PyTuple_GetItem(pair, 1);
            fields->header = value;
        } else if (equals_ignoring_case(name, "content-type")) {
            if (has_type || (fields->is_form = form_label(value)) < 0)
                return 0;
            has_type = 1;
        } else {
            for (size_t k = 0; k < sizeof rewriting / sizeof *rewriting; k++)
                if (equals(name, rewriting[k]))
                    return 0;
        }
    }
    return fields->host != NULL;
}

/* The peer's address, borrowed; None without one; NULL if its port is 0, which no connection has. */
static PyObject *peer_of(PyObject *client)
{
    PyObject *address, *port;
    if (!client || client == Py_None)
        return Py_None;
    if (PyTuple_CheckExact(client) && PyTuple_Size(client) == 2) {
        address = PyTuple_GetItem(client, 0);
        port = PyTuple_GetItem(client, 1);
    } else if (PyList_CheckExact(client) && PyList_Size(client) == 2) {
        address = PyList_GetItem(client, 0);
        port = PyList_GetItem(client, 1);
    } else {
        return NULL;
    }
    return PyLong_CheckExact(port) && PyObject_IsTrue(port) == 1 ? address : NULL;
}

PyDoc_STRVAR(read_scope_doc,
"read_scope(scope, hosts, form, max_parameters, max_header, max_query, max_form, /)\n--\n\n"
"Read an ASGI scope: host, peer, Authorization, whether the body is a form, and what `read` returns.\n"
"`hosts` has the normal form of each Host field by scheme. None if Python has to read the scope.");

static PyObject *native_read_scope(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    const State *state = PyModule_GetState(module);
    PyObject *scope, *value[KEYS], *host, *peer, *read, *result;
    size_t max_header, max_query, max_form;
    Fields fields;
    Parts parts;
    if (count != 7) {
        PyErr_SetString(PyExc_TypeError, "read_scope() takes 7 arguments");
        return NULL;
    }
    scope = args[0];
    if (!PyDict_CheckExact(scope) || !PyDict_CheckExact(args[1]) || !is_size(args[3], &parts.max_parameters) ||
        !is_size(args[4], &max_header) || !is_size(args[5], &max_query) || !is_size(args[6], &max_form))
        Py_RETURN_NONE;
    for (int i = 0; i < KEYS; i++) {
        value[i] = PyDict_GetItemWithError(scope, state->key[i]);
        if (!value[i] && PyErr_Occurred())
            return NULL;
    }
    if (!value[HEADERS] || !PyList_CheckExact(value[HEADERS]) || !read_fields(value[HEADERS], &fields) ||
        !(peer = peer_of(value[CLIENT])) || !is_ascii(value[METHOD], &parts.method) ||
        !is_ascii(value[SCHEME], &parts.scheme) || !is_octets(value[RAW_PATH], &parts.path) ||
        !is_octets(value[QUERY_STRING], &parts.query))
        Py_RETURN_NONE;
    host = PyDict_GetItemWithError(args[1], value[SCHEME]);
    host = host && PyDict_CheckExact(host) ? PyDict_GetItemWithError(host, fields.host) : NULL;
    if (!is_ascii(host, &parts.host))
        Py_RETURN_NONE;
    if (!parts.path.size || parts.path.at[0] != '/' || memchr(parts.path.at, '?', parts.path.size))
        Py_RETURN_NONE;
    parts.form = (Octets){NULL, 0};
    if (fields.is_form && args[2] != Py_None && !is_octets(args[2], &parts.form))
        Py_RETURN_NONE;
    parts.header = fields.header;
    if (parts.header.size > max_header || parts.query.size > max_query || parts.form.size > max_form)
        Py_RETURN_NONE;
    Py_INCREF(host);
    Py_INCREF(peer);
    read = read_parts(state, &parts);
    result = read;
    if (read && read != Py_None) {
        PyObject *header = fields.authorization ? Py_NewRef(fields.authorization) : PyBytes_FromStringAndSize(NULL, 0);
        result = header ? PyTuple_Pack(5, host, peer, header, fields.is_form ? Py_True : Py_False, read) : NULL;
        Py_XDECREF(header);
        Py_DECREF(read);
    }
    Py_DECREF(peer);
    Py_DECREF(host);
    return result;
}

static PyMethodDef methods[] = {
    {"read", (PyCFunction)(void (*)(void))native_read, METH_FASTCALL, read_doc},
    {"read_scope", (PyCFunction)(void (*)(void))native_read_scope, METH_FASTCALL, read_scope_doc},
    {NULL, NULL, 0, NULL},
};

static int intern(const char *const *texts, PyObject **objects, int count)
{
    for (int i = 0; i < count; i++)
        if (!(objects[i] = PyUnicode_InternFromString(texts[i])))
            return -1;
    return 0;
}

static int execute(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (intern(names, state->name, NAMES) < 0 || intern(keys, state->key, KEYS) < 0 ||
        intern(places, state->place, NO_PLACE) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "INTERFACE", INTERFACE);
}

static int clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    for (int i = 0; i < NAMES; i++)
        Py_CLEAR(state->name[i]);
    for (int i = 0; i < KEYS; i++)
        Py_CLEAR(state->key[i]);
    for (int i = 0; i < NO_PLACE; i++)
        Py_CLEAR(state->place[i]);
    return 0;
}

static void release(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "extension",
    .m_doc = "Reads usual requests; see async_oauth1.native.",
    .m_size = sizeof(State),
    .m_methods = methods,
    .m_slots = slots,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit_extension(void);
PyMODINIT_FUNC PyInit_extension(void)
{
    return PyModuleDef_Init(&definition);
}

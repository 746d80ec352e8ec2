/* The Python side of the native reader: a module of the limited API, so one file serves CPython 3.11 and later.
 *
 * Its functions return None for whatever they leave to Python, and raise no error of their own. */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "reader.h"

/* Raise this together with async_oauth1.native.INTERFACE if arguments, results or their meaning change. */
enum { INTERFACE = 2 };

/* Keys of a scope, and the places of parameters; their numbers follow those of the parameters' names. */
enum { METHOD = NAMES, SCHEME, RAW_PATH, QUERY_STRING, HEADERS, CLIENT, IN_HEADER, TEXTS = IN_HEADER + NO_PLACE };
static const char *const more_texts[TEXTS - NAMES] = {
    "method", "scheme", "raw_path", "query_string", "headers", "client", "HEADER", "QUERY", "BODY",
};

/* Interned texts, and nothing that a request could change. */
typedef struct {
    PyObject *text[TEXTS];
} State;

/* Headers from which servers take scheme or peer: `async_oauth1.asgi.origin` judges these. */
static const Octets rewriting[] = {
    TEXT("forwarded"), TEXT("x-forwarded-for"), TEXT("x-forwarded-proto"), TEXT("x-forwarded-protocol"),
    TEXT("x-forwarded-ssl"),
};

static int is_octets(PyObject *object, Octets *octets)
{
    if (!object || !PyBytes_CheckExact(object))
        return 0;
    *octets = (Octets){(const uint8_t *)PyBytes_AsString(object), (size_t)PyBytes_Size(object)};
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
    PyErr_Clear();
    return *size != (size_t)-1;
}

/* A tuple that takes over these references. NULL if there is an error, because of which some of them may be NULL. */
static PyObject *tuple_of(PyObject **items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (tuple)
            PyTuple_SetItem(tuple, i, items[i]);
        else
            Py_XDECREF(items[i]);
    }
    if (PyErr_Occurred())
        Py_CLEAR(tuple);
    return tuple;
}

static PyObject *text_of(Octets octets)
{
    return PyUnicode_DecodeUTF8((const char *)octets.at, (Py_ssize_t)octets.size, "strict");
}

/* The protocol parameters, decoded. NULL with an error, also if a value is not UTF-8. `room` holds any value. */
static PyObject *parameters_of(const State *state, const Reading *reading, uint8_t *room)
{
    PyObject *parameters = PyDict_New();
    for (size_t i = 0; parameters && i < reading->protocols; i++) {
        const Piece *piece = &reading->piece[reading->protocol[i]];
        PyObject *value = text_of(decode_value(piece, room));
        PyObject *name = value && piece->known < NAMES ? Py_NewRef(state->text[piece->known]) : NULL;
        if (value && !name)
            name = text_of(name_of(piece));
        if (!name || PyDict_SetItem(parameters, name, value) < 0)
            Py_CLEAR(parameters);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return parameters;
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

/* What a request was read into; see async_oauth1.native. */
enum { PLACE, PARAMETERS, REALM, OTHERS, BASE_STRING, USUAL_TIMESTAMP, IDENTIFIERS, PARTS };

/* Whether the request was read, or there is an error; otherwise it is left to Python. */
static int build_parts(const State *state, const Parts *parts, Work *work, PyObject **items)
{
    const Reading *reading = &work->reading;
    size_t size, identifiers = 0;
    if (read_parameters(parts->header, parts->query, parts->form, parts->max_parameters, &work->reading))
        return 0;
    items[PARAMETERS] = parameters_of(state, reading, work->room);
    if (!items[PARAMETERS]) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            return 1;
        PyErr_Clear();
        return 0;
    }
    size = write_base_string(parts->method, parts->scheme, parts->host, parts->path, reading, work->room);
    if (!size) {
        Py_CLEAR(items[PARAMETERS]);
        return 0;
    }
    items[PLACE] = Py_NewRef(reading->place == NO_PLACE ? Py_None : state->text[IN_HEADER + reading->place]);
    items[REALM] = !reading->realm.at ? Py_NewRef(Py_None)
        : PyUnicode_DecodeLatin1((const char *)reading->realm.at, (Py_ssize_t)reading->realm.size, NULL);
    items[OTHERS] = PyBool_FromLong(reading->others);
    items[BASE_STRING] = PyUnicode_FromStringAndSize((const char *)work->room, (Py_ssize_t)size);
    items[USUAL_TIMESTAMP] = PyLong_FromUnsignedLongLong(usual_timestamp(reading, &identifiers));
    items[IDENTIFIERS] = PyLong_FromSize_t(identifiers);
    return 1;
}

static int read_parts(const State *state, const Parts *parts, PyObject **items)
{
    Work *work = PyMem_Malloc(sizeof *work);
    int is_read = !work || build_parts(state, parts, work, items);
    if (!work)
        PyErr_NoMemory();
    PyMem_Free(work);
    return is_read;
}

PyDoc_STRVAR(read_doc, "read(method, scheme, host, path, header, query, form, max_parameters, /)\n--\n\n"
"Read the parameters of a request. None if Python has to read them.");

static PyObject *native_read(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *items[PARTS] = {NULL};
    Parts parts;
    if (count != 8)
        return PyErr_Format(PyExc_TypeError, "read() takes 8 arguments");
    if (!is_ascii(args[0], &parts.method) || !is_ascii(args[1], &parts.scheme) || !is_ascii(args[2], &parts.host) ||
        !is_octets(args[3], &parts.path) || !is_octets(args[4], &parts.header) || !is_octets(args[5], &parts.query) ||
        !is_octets(args[6], &parts.form) || !is_size(args[7], &parts.max_parameters))
        Py_RETURN_NONE;
    return read_parts(PyModule_GetState(module), &parts, items) ? tuple_of(items, PARTS) : Py_NewRef(Py_None);
}

/* What `read_scope` needs of the header fields. References are borrowed. */
typedef struct {
    PyObject *host, *authorization;
    int is_form;
} Fields;

/* Whether the fields have nothing that only Python judges. */
static int read_fields(PyObject *headers, Fields *fields)
{
    int has_type = 0;
    fields->host = fields->authorization = NULL;
    fields->is_form = 0;
    for (Py_ssize_t i = 0, count = PyList_Size(headers); i < count; i++) {
        PyObject *pair = PyList_GetItem(headers, i);
        Octets name, value;
        if (!pair || !PyTuple_CheckExact(pair) || PyTuple_Size(pair) != 2 || !is_octets(PyTuple_GetItem(pair, 0), &name) ||
            !is_octets(PyTuple_GetItem(pair, 1), &value))
            return 0;
        if (equals(name, (Octets)TEXT("host"))) {
            if (fields->host)
                return 0;
            fields->host = PyTuple_GetItem(pair, 1);
        } else if (equals_ignoring_case(name, (Octets)TEXT("authorization"))) {
            if (fields->authorization)
                return 0;
            fields->authorization = PyTuple_GetItem(pair, 1);
        } else if (equals_ignoring_case(name, (Octets)TEXT("content-type"))) {
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
    PyObject *port;
    int is_list;
    if (!client || client == Py_None)
        return Py_None;
    is_list = PyList_CheckExact(client);
    if ((!is_list && !PyTuple_CheckExact(client)) || PyObject_Size(client) != 2)
        return NULL;
    port = is_list ? PyList_GetItem(client, 1) : PyTuple_GetItem(client, 1);
    if (!PyLong_CheckExact(port) || PyObject_IsTrue(port) != 1)
        return NULL;
    return is_list ? PyList_GetItem(client, 0) : PyTuple_GetItem(client, 0);
}

static PyObject *or_empty(PyObject *octets)
{
    return octets ? Py_NewRef(octets) : PyBytes_FromStringAndSize(NULL, 0);
}

PyDoc_STRVAR(read_scope_doc,
"read_scope(scope, hosts, form, max_parameters, max_header, max_query, max_form, /)\n--\n\n"
"Read an ASGI scope. `hosts` has the normal form of Host fields by scheme. None if Python has to read the scope.");

static PyObject *native_read_scope(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    const State *state = PyModule_GetState(module);
    PyObject *scope, *value[IN_HEADER], *host, *peer, *form, *result;
    size_t max_header, max_query, max_form;
    Fields fields;
    Parts parts;
    int is_read;
    if (count != 7)
        return PyErr_Format(PyExc_TypeError, "read_scope() takes 7 arguments");
    scope = args[0];
    if (!PyDict_CheckExact(scope) || !PyDict_CheckExact(args[1]) || !is_size(args[3], &parts.max_parameters) ||
        !is_size(args[4], &max_header) || !is_size(args[5], &max_query) || !is_size(args[6], &max_form))
        Py_RETURN_NONE;
    for (int i = METHOD; i < IN_HEADER; i++) {
        value[i] = PyDict_GetItemWithError(scope, state->text[i]);
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
    form = fields.is_form && args[2] != Py_None ? args[2] : NULL;
    /* These hold the octets that are read. */
    PyObject *octets[] = {or_empty(fields.authorization), Py_NewRef(value[QUERY_STRING]), or_empty(form)};
    PyObject *items[8 + PARTS] = {
        Py_NewRef(value[METHOD]), Py_NewRef(value[SCHEME]), Py_NewRef(host), Py_NewRef(value[RAW_PATH]),
        PyList_AsTuple(value[HEADERS]), Py_NewRef(peer), PyBool_FromLong(fields.is_form), tuple_of(octets, 3),
    };
    is_read = items[7] && is_octets(octets[0], &parts.header) && is_octets(octets[2], &parts.form) &&
        parts.header.size <= max_header && parts.query.size <= max_query && parts.form.size <= max_form &&
        read_parts(state, &parts, items + 8);
    result = tuple_of(items, is_read ? 8 + PARTS : 8);
    if (is_read || !result)
        return result;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"read", (PyCFunction)(void (*)(void))native_read, METH_FASTCALL, read_doc},
    {"read_scope", (PyCFunction)(void (*)(void))native_read_scope, METH_FASTCALL, read_scope_doc},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    State *state = PyModule_GetState(module);
    for (int i = 0; i < TEXTS; i++) {
        const char *text = i < NAMES ? (const char *)parameter_names[i].at : more_texts[i - NAMES];
        if (!(state->text[i] = PyUnicode_InternFromString(text)))
            return -1;
    }
    return PyModule_AddIntConstant(module, "INTERFACE", INTERFACE);
}

static void release(void *module)
{
    State *state = PyModule_GetState(module);
    for (int i = 0; i < TEXTS; i++)
        Py_CLEAR(state->text[i]);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "extension",
    .m_doc = "Reads usual requests; see async_oauth1.native.",
    .m_size = sizeof(State),
    .m_methods = methods,
    .m_slots = slots,
    .m_free = release,
};

PyMODINIT_FUNC PyInit_extension(void);
PyMODINIT_FUNC PyInit_extension(void)
{
    return PyModuleDef_Init(&definition);
}

package roadside.flink;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.InputTypeStrategies;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.types.Row;

/**
 * {@code parse_event(raw, spec)}: one JSON text to one row of typed fields, or to what is wrong.
 *
 * <p>The spec is a literal such as {@code 'provider_id string, ts bigint, score int?'}; a question
 * mark marks a field that may be missing. The row has these fields and a last one, {@code problem},
 * null when the event has them all, else a code and a text: {@code not_json|not JSON: ...}. Every text gives exactly one row, so nothing is lost here. It
 * is a table function because the planner calls those once a row, while it may call a scalar
 * function once for each field that is read from its result.
 */
public final class ParseEvent extends TableFunction<Row> {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN_CHARACTERS = 40;

    private transient ObjectMapper mapper;
    private transient String parsedSpec;
    private transient List<Field> fields;

    /** Emits one row for {@code raw}. */
    public void eval(String raw, String spec) {
        if (mapper == null) {
            mapper = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        }
        if (!spec.equals(parsedSpec)) {
            fields = parseSpec(spec);
            parsedSpec = spec;
        }
        collect(parse(raw));
    }

    private Row parse(String raw) {
        JsonNode event;
        try {
            event = mapper.readTree(raw == null ? "" : raw);
        } catch (JsonProcessingException e) {
            return problem("not_json", "not JSON: " + firstLine(e.getOriginalMessage()));
        }
        if (event == null || !event.isObject()) {
            return problem("not_json", "not a JSON object");
        }
        Row row = new Row(fields.size() + 1);
        for (int i = 0; i < fields.size(); i++) {
            Field field = fields.get(i);
            JsonNode node = event.get(field.name);
            if (node == null || node.isNull()) {
                if (!field.optional) {
                    return problem("missing_field", "field '" + field.name + "' is missing");
                }
                continue;
            }
            Object value = field.kind.read(node);
            if (value == null) {
                String found = shorten(node.toString());
                return problem(
                        "wrong_type",
                        "field '" + field.name + "' should be " + field.kind.meaning + ", not " + found);
            }
            row.setField(i, value);
        }
        return row;
    }

    private Row problem(String code, String reason) {
        Row row = new Row(fields.size() + 1);
        row.setField(fields.size(), code + Problem.SEPARATOR + reason);
        return row;
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }

    private static String shorten(String text) {
        return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS) + "...";
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(
                        InputTypeStrategies.sequence(
                                InputTypeStrategies.explicit(DataTypes.STRING()),
                                InputTypeStrategies.and(
                                        InputTypeStrategies.LITERAL,
                                        InputTypeStrategies.explicit(DataTypes.STRING().notNull()))))
                .outputTypeStrategy(
                        call ->
                                call.getArgumentValue(1, String.class).map(ParseEvent::rowType))
                .build();
    }

    private static DataType rowType(String spec) {
        List<DataTypes.Field> types = new ArrayList<>();
        for (Field field : parseSpec(spec)) {
            types.add(DataTypes.FIELD(field.name, field.kind.type));
        }
        types.add(DataTypes.FIELD("problem", DataTypes.STRING()));
        return DataTypes.ROW(types.toArray(new DataTypes.Field[0]));
    }

    private static List<Field> parseSpec(String spec) {
        List<Field> fields = new ArrayList<>();
        for (String part : spec.split(",")) {
            String[] words = part.trim().split("\\s+");
            boolean optional = words[words.length - 1].endsWith("?");
            Optional<Kind> kind =
                    words.length == 2 ? Kind.of(words[1].replace("?", "")) : Optional.empty();
            fields.add(
                    new Field(
                            words[0],
                            kind.orElseThrow(
                                    () ->
                                            new ValidationException(
                                                    "parse_event: '"
                                                            + part.trim()
                                                            + "' should be a name and one of string,"
                                                            + " bigint, int, double, with ? if optional")),
                            optional));
        }
        return fields;
    }

    /** One field of the spec. */
    private static final class Field {
        private final String name;
        private final Kind kind;
        private final boolean optional;

        Field(String name, Kind kind, boolean optional) {
            this.name = name;
            this.kind = kind;
            this.optional = optional;
        }
    }

    /** The types that a spec may name. */
    private enum Kind {
        STRING("text that is not empty", DataTypes.STRING()) {
            @Override
            Object read(JsonNode node) {
                return node.isTextual() && !node.textValue().isEmpty() ? node.textValue() : null;
            }
        },
        BIGINT("a whole number", DataTypes.BIGINT()) {
            @Override
            Object read(JsonNode node) {
                return isWhole(node) && node.canConvertToLong() ? node.longValue() : null;
            }
        },
        INT("a whole number", DataTypes.INT()) {
            @Override
            Object read(JsonNode node) {
                return isWhole(node) && node.canConvertToInt() ? node.intValue() : null;
            }
        },
        DOUBLE("a number", DataTypes.DOUBLE()) {
            @Override
            Object read(JsonNode node) {
                return node.isNumber() && Double.isFinite(node.doubleValue())
                        ? node.doubleValue()
                        : null;
            }
        };

        private final String meaning;
        private final DataType type;

        Kind(String meaning, DataType type) {
            this.meaning = meaning;
            this.type = type;
        }

        /** Returns the value, or null when the node is not of this kind. */
        abstract Object read(JsonNode node);

        static Optional<Kind> of(String name) {
            for (Kind kind : values()) {
                if (kind.name().equalsIgnoreCase(name)) {
                    return Optional.of(kind);
                }
            }
            return Optional.empty();
        }

        private static boolean isWhole(JsonNode node) {
            return node.isIntegralNumber()
                    || node.isFloatingPointNumber()
                            && Double.isFinite(node.doubleValue())
                            && new BigDecimal(node.asText()).stripTrailingZeros().scale() <= 0;
        }
    }
}
